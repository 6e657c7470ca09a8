//! The grammar, by hand, one area a file. Newlines mean nothing to it; only recovery after an error looks at them.

mod expressions;
mod items;
mod plans;
mod rules;
mod tables;
mod time;
mod types;

pub use items::program;
pub use plans::{parameter_override, plan, plan_line};

use super::SyntaxKind;

macro_rules! kinds {
    ($($kind:ident)*) => {
        /// All kinds, in the order of their declaration.
        pub const KINDS: &[SyntaxKind] = &[$(SyntaxKind::$kind),*];
    };
}

kinds! {
    Whitespace Comment Name Int Bytes String UnclosedString LeftParen RightParen LeftBracket RightBracket LeftBrace RightBrace Comma Dot
    Colon AtSign Bang Arrow FatArrow Now Next Async Assign Equal NotEqual Less LessEqual Greater GreaterEqual Plus Minus Star Slash Percent
    Unknown EndOfFile
    ProtocolWord PropertiesWord ParamWord RoleWord FaultWord ChannelWord ComponentWord TableWord EventWord ViewWord DeleteWord
    NewWord FromWord ToWord MeWord TrueWord FalseWord Underscore
    Root Header Param Role Fault Channel Fields Field Key Component Count Declaration Rule Head At Atom From To Compare Bind Binary
    Unary Paren Call Arguments Variable Wildcard Me Literal Decouple Partition Authenticate Names
    Words Policy Above Timer Delay Serial Ordered Authenticated Eventually Goal Linearizable Operation Until Absent
    Include Without Except Included
    Record Extern TypeName ListOf TupleOf RecordOf FieldOf Access In
    Error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_kinds_is_complete_and_in_order() {
        assert_eq!(KINDS.len(), SyntaxKind::Error as usize + 1);
        for (position, kind) in KINDS.iter().enumerate() {
            assert_eq!(*kind as usize, position);
        }
    }
}
