//! The codes of diagnostics. Each has a page in the book; numbers are never used again for something else.

macro_rules! codes {
    ($($code:ident $title:literal,)*) => {
        /// What kind of thing is wrong.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $(#[doc = $title] $code,)*
            /// A code of another crate, such as the precondition of a rewrite.
            Other {
                /// Its name.
                name: &'static str,
                /// Its page, in Markdown.
                page: &'static str,
            },
        }

        impl Code {
            /// All codes of this crate.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            /// The name of the code.
            pub fn name(self) -> &'static str {
                match self {
                    $(Code::$code => stringify!($code),)*
                    Code::Other { name, .. } => name,
                }
            }

            /// The page of the book about it, in Markdown.
            pub fn page(self) -> &'static str {
                match self {
                    $(Code::$code => {
                        include_str!(concat!("../../../../book/src/errors/", stringify!($code), ".md"))
                    })*
                    Code::Other { page, .. } => page,
                }
            }

            /// The code of this crate with this name.
            pub fn find(name: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.name() == name)
            }

            /// What the code is about, in a few words.
            pub fn title(self) -> &'static str {
                match self {
                    $(Code::$code => $title,)*
                    Code::Other { name, .. } => name,
                }
            }
        }
    };
}

codes! {
    // The text.
    E0101 "The text does not follow the grammar",
    E0102 "A character or a string that cannot be read",
    E0103 "An integer is too large",
    E0104 "Bytes or a string are malformed",
    E0105 "A rule or an expression is too large",
    E0106 "The text is too large",
    E0107 "The header is missing or not the first item",
    E0108 "A text that cannot be included",
    // Names.
    E0201 "A relation that does not exist",
    E0202 "A role, component or other name that does not exist",
    E0203 "A function that does not exist",
    E0204 "A type that does not exist",
    E0205 "A name is declared twice",
    E0206 "The number of arguments is wrong",
    E0207 "A variable has the name of a parameter or role",
    E0208 "A name belongs to the language",
    E0209 "A component reads a relation of another component",
    E0210 "A parameter that does not exist is overridden",
    E0625 "A variable has the name of a relation of its rule",
    // Types.
    E0301 "Types do not fit together",
    E0302 "A type cannot be inferred",
    E0303 "A value that must be known before the run is not",
    E0304 "A parameter of a type that has no literals",
    E0305 "The keys of another node",
    E0306 "A field that does not exist, or that has no value",
    E0307 "A function that the binary does not have",
    // Safety.
    E0401 "A variable is not bound",
    E0402 "A wildcard where a value is needed",
    E0403 "A variable is bound twice",
    E0404 "An aggregate where none may be",
    E0405 "An absent event without a present one",
    E0406 "A variable is used once",
    // Time.
    E0501 "An event is derived from state alone",
    E0502 "A relation is declared as what it is not",
    E0503 "`new` of something that is not state",
    E0504 "A deletion from something that is not a table",
    E0505 "A relation depends on its own absence",
    E0506 "Recursion over state that can shrink",
    E0507 "State that nothing ever deletes",
    E0508 "State alone fills an event",
    E0509 "Recursion that makes ever new values",
    E0510 "A relation that feeds itself for ever",
    E0511 "A key without a policy, or a policy without a key",
    E0512 "State alone fills a keyed table or a window",
    E0513 "A window that is not above a register",
    E0514 "A durable value that every restart sets back",
    // Space.
    E0601 "A message into a relation that is no channel",
    E0602 "A channel filled without a message",
    E0603 "A message without a destination",
    E0604 "A destination where none may be",
    E0605 "A component sends on a channel of another",
    E0606 "A component reads a channel that another receives",
    E0607 "`from` or `to` where there is none",
    E0608 "A key where none may be, or none where one must be",
    E0609 "A channel of an external role that cannot be rewired",
    E0610 "A channel that no component sends or receives",
    E0611 "A component of an external role",
    E0612 "An external role without a number of nodes is enumerated",
    E0613 "A channel that nobody sends on",
    E0614 "A channel that nobody reads",
    E0615 "A relation or parameter that nobody reads",
    E0616 "A delayed message to somebody else",
    E0617 "A timer that repeats has columns",
    E0618 "A channel that cannot be ordered",
    E0619 "An order that a restart forgets",
    E0620 "State alone sends to a receiver that notices repetitions",
    E0621 "A message to a node of another role",
    // Belief.
    E0622 "A node that is only claimed is counted",
    E0623 "A signature that is never verified",
    E0624 "A signature that does not cover what is used",
    E0626 "An authentication of columns that cannot be",
    E0627 "A column that is neither authenticated nor checked",
    // Numbers of nodes and faults.
    E0701 "A number of nodes that makes no sense",
    E0702 "Too many nodes",
    E0703 "More faulty nodes than nodes",
    E0704 "A fault of an external role",
    E0705 "A delay that makes no sense",
    E0706 "More nodes are waited for than have to answer",
    E0707 "What somebody is told waits for nodes that may keep silent",
    // Plans.
    E0801 "A plan that does not fit the program",
    // Properties.
    E0901 "Properties that contain something else than properties",
    E0902 "Properties without a violation",
    E0903 "Properties of another protocol",
    E0904 "An operation that cannot be checked",
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
