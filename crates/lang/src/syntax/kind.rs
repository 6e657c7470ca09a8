//! Kinds of tokens and nodes of the syntax tree.

use logos::Logos;

/// The kind of a token or of a node.
#[derive(Logos, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u16)]
#[allow(missing_docs, reason = "a token is its text, a node is its grammar rule")]
pub enum SyntaxKind {
    // Tokens.
    #[regex(r"[ \t\r\n]+")]
    Whitespace,
    #[regex(r"//[^\n]*", allow_greedy = true)]
    Comment,
    /// A name or a word; [`SyntaxKind::of_word`] tells reserved words apart.
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Name,
    #[regex(r"[0-9][0-9_]*")]
    Int,
    #[regex(r"0x[0-9A-Za-z_]*", priority = 20)]
    Bytes,
    #[regex(r#""([^"\\\n]|\\[^\n])*""#)]
    String,
    #[regex(r#""([^"\\\n]|\\[^\n])*"#)]
    UnclosedString,
    #[token("(")]
    LeftParen,
    #[token(")")]
    RightParen,
    #[token("[")]
    LeftBracket,
    #[token("]")]
    RightBracket,
    #[token("{")]
    LeftBrace,
    #[token("}")]
    RightBrace,
    #[token(",")]
    Comma,
    #[token(".")]
    Dot,
    #[token(":")]
    Colon,
    #[token("@")]
    AtSign,
    #[token("!")]
    Bang,
    #[token("->")]
    Arrow,
    #[token("=>")]
    FatArrow,
    #[token(":-")]
    Now,
    #[token(":+")]
    Next,
    #[token(":~")]
    Async,
    #[token("=")]
    Assign,
    #[token("==")]
    Equal,
    #[token("!=")]
    NotEqual,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEqual,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEqual,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("%")]
    Percent,
    /// A character that no token starts with.
    Unknown,
    EndOfFile,

    // Reserved words; every other word is a name, with a meaning of its own in some places.
    ProtocolWord,
    PropertiesWord,
    ParamWord,
    RoleWord,
    FaultWord,
    ChannelWord,
    ComponentWord,
    TableWord,
    EventWord,
    ViewWord,
    DeleteWord,
    NewWord,
    FromWord,
    ToWord,
    MeWord,
    TrueWord,
    FalseWord,
    Underscore,

    // Nodes.
    Root,
    Header,
    Param,
    Role,
    Fault,
    Channel,
    Fields,
    Field,
    Key,
    Component,
    Count,
    Declaration,
    Rule,
    Head,
    At,
    Atom,
    From,
    To,
    Compare,
    Bind,
    Binary,
    Unary,
    Paren,
    Call,
    Arguments,
    Variable,
    Wildcard,
    Me,
    Literal,
    Decouple,
    Partition,
    Authenticate,
    Names,
    /// Words in front of a declaration that say how it is stored.
    Words,
    Policy,
    Above,
    Timer,
    Delay,
    Serial,
    Ordered,
    Authenticated,
    Eventually,
    Goal,
    Linearizable,
    /// What a client does, and what it is told.
    Operation,
    /// The literals that say when an operation is answered.
    Until,
    Absent,
    Include,
    /// The items of a protocol that a text does not include.
    Without,
    /// One of them: what it is, and its name.
    Except,
    /// A text that another one includes, behind all of its items.
    Included,
    Record,
    Extern,
    TypeName,
    ListOf,
    TupleOf,
    RecordOf,
    FieldOf,
    Access,
    In,
    /// Tokens that fit nowhere. The last kind: see [`crate::syntax::Dedalus`].
    Error,
}

impl SyntaxKind {
    const WORDS: [(&'static str, SyntaxKind); 18] = [
        ("protocol", SyntaxKind::ProtocolWord),
        ("properties", SyntaxKind::PropertiesWord),
        ("param", SyntaxKind::ParamWord),
        ("role", SyntaxKind::RoleWord),
        ("fault", SyntaxKind::FaultWord),
        ("channel", SyntaxKind::ChannelWord),
        ("component", SyntaxKind::ComponentWord),
        ("table", SyntaxKind::TableWord),
        ("event", SyntaxKind::EventWord),
        ("view", SyntaxKind::ViewWord),
        ("delete", SyntaxKind::DeleteWord),
        ("new", SyntaxKind::NewWord),
        ("from", SyntaxKind::FromWord),
        ("to", SyntaxKind::ToWord),
        ("me", SyntaxKind::MeWord),
        ("true", SyntaxKind::TrueWord),
        ("false", SyntaxKind::FalseWord),
        ("_", SyntaxKind::Underscore),
    ];

    /// The kind of a word: a reserved one or [`SyntaxKind::Name`].
    pub fn of_word(word: &str) -> SyntaxKind {
        Self::WORDS.iter().find(|(text, _)| *text == word).map_or(SyntaxKind::Name, |(_, kind)| *kind)
    }

    /// Whether the token means nothing to the grammar.
    pub fn is_trivia(self) -> bool {
        matches!(self, SyntaxKind::Whitespace | SyntaxKind::Comment)
    }

    /// How a message names a token of this kind.
    pub fn describe(self) -> &'static str {
        match self {
            SyntaxKind::Name => "a name",
            SyntaxKind::Int => "a number",
            SyntaxKind::Bytes => "bytes",
            SyntaxKind::String => "a string",
            SyntaxKind::UnclosedString => "a string without its closing quote",
            SyntaxKind::EndOfFile => "the end of the text",
            SyntaxKind::LeftParen => "`(`",
            SyntaxKind::RightParen => "`)`",
            SyntaxKind::LeftBracket => "`[`",
            SyntaxKind::RightBracket => "`]`",
            SyntaxKind::LeftBrace => "`{`",
            SyntaxKind::RightBrace => "`}`",
            SyntaxKind::Comma => "`,`",
            SyntaxKind::Dot => "`.`",
            SyntaxKind::Colon => "`:`",
            SyntaxKind::AtSign => "`@`",
            SyntaxKind::Bang => "`!`",
            SyntaxKind::Arrow => "`->`",
            SyntaxKind::FatArrow => "`=>`",
            SyntaxKind::Now => "`:-`",
            SyntaxKind::Next => "`:+`",
            SyntaxKind::Async => "`:~`",
            SyntaxKind::Assign => "`=`",
            SyntaxKind::Equal => "`==`",
            SyntaxKind::NotEqual => "`!=`",
            SyntaxKind::Less => "`<`",
            SyntaxKind::LessEqual => "`<=`",
            SyntaxKind::Greater => "`>`",
            SyntaxKind::GreaterEqual => "`>=`",
            SyntaxKind::Plus => "`+`",
            SyntaxKind::Minus => "`-`",
            SyntaxKind::Star => "`*`",
            SyntaxKind::Slash => "`/`",
            SyntaxKind::Percent => "`%`",
            _ => Self::WORDS
                .iter()
                .position(|(_, kind)| *kind == self)
                .map_or("something else", |position| Self::QUOTED_WORDS[position]),
        }
    }

    const QUOTED_WORDS: [&'static str; 18] = [
        "the word `protocol`",
        "the word `properties`",
        "the word `param`",
        "the word `role`",
        "the word `fault`",
        "the word `channel`",
        "the word `component`",
        "the word `table`",
        "the word `event`",
        "the word `view`",
        "the word `delete`",
        "the word `new`",
        "the word `from`",
        "the word `to`",
        "the word `me`",
        "the word `true`",
        "the word `false`",
        "`_`",
    ];
}
