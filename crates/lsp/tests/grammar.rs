//! The grammar for editors: it knows the words of the language, and colours texts as they are meant.

use std::collections::BTreeSet;

use menard_lang::ir::Aggregate;
use menard_lang::navigate::{CONTEXTUAL_WORDS, RESERVED_WORDS};
use menard_value::{Function, Type};
use regex::Regex;
use serde_json::Value;

const GRAMMAR: &str = include_str!("../../../editors/menard.tmLanguage.json");
const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const PLAN: &str = include_str!("../../../protocols/voting/scalable.plan");

fn grammar() -> Value {
    serde_json::from_str(GRAMMAR).expect("the grammar is JSON")
}

/// The alternatives in the first group of letters of each pattern in these parts of the repository.
fn words(parts: &[&str]) -> BTreeSet<String> {
    let group = Regex::new(r"\(([a-z_|]+)\)").expect("it is a regex");
    let grammar = grammar();
    let patterns =
        parts.iter().flat_map(|part| grammar["repository"][part]["patterns"].as_array().cloned().expect("patterns"));
    let found: Vec<String> = patterns
        .filter_map(|pattern| Some(group.captures(pattern["match"].as_str()?)?[1].to_owned()))
        .flat_map(|words| words.split('|').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let set: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(set.len(), found.len(), "a word is there twice: {found:?}");
    set
}

fn set<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn the_words_are_those_of_the_language() {
    assert_eq!(words(&["words"]), set(RESERVED_WORDS.iter().map(|(word, _)| *word)));
    assert_eq!(words(&["contextual"]), set(CONTEXTUAL_WORDS.iter().map(|(word, _)| *word)));
    assert_eq!(words(&["types"]), set(Type::SIMPLE.map(Type::name).into_iter().chain(Type::GENERIC)));
    // Other functions have names that relations often have.
    let coloured = words(&["functions"]);
    let functions = Function::TABLE.iter().map(|function| function.name);
    let known = set(functions.chain(Aggregate::ALL.map(Aggregate::name)).chain(["start"]));
    assert!(coloured.is_subset(&known), "{coloured:?}");
    let reserved = set(["min", "max", "hash", "length", "index_of", "count", "sum", "start"]);
    assert!(coloured.is_superset(&reserved), "{coloured:?}");
}

/// A pattern of the grammar.
struct Pattern {
    start: Regex,
    end: Option<Regex>,
    /// The scope of the whole match.
    name: Option<String>,
    /// The scopes of its groups.
    captures: Vec<(usize, String)>,
}

fn patterns() -> Vec<Pattern> {
    let grammar = grammar();
    let includes = grammar["patterns"].as_array().expect("a list");
    let parts = includes.iter().map(|include| {
        let part =
            include["include"].as_str().and_then(|part| part.strip_prefix('#')).expect("a part of the repository");
        grammar["repository"][part]["patterns"].as_array().expect("it exists")
    });
    let regex = |value: &Value| value.as_str().map(|text| Regex::new(text).expect("it is a regex"));
    let name = |value: &Value| value["name"].as_str().map(str::to_owned);
    let pattern = |value: &Value| Pattern {
        start: regex(&value["match"]).or_else(|| regex(&value["begin"])).expect("it matches something"),
        end: regex(&value["end"]),
        name: name(value),
        captures: value["captures"].as_object().map_or_else(Vec::new, |captures| {
            let capture = |(group, scope): (&String, &Value)| Some((group.parse().ok()?, name(scope)?));
            captures.iter().filter_map(capture).collect()
        }),
    };
    parts.flatten().map(pattern).collect()
}

/// The coloured parts of a line as an editor finds them: again and again the pattern that matches first, the first of the list of several.
fn scopes(line: &str) -> Vec<(String, String)> {
    let patterns = patterns();
    let mut found = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let matches = patterns.iter().filter_map(|pattern| Some((pattern, pattern.start.captures_at(line, at)?)));
        let Some((pattern, captures)) = matches.min_by_key(|(_, captures)| captures.get(0).map(|whole| whole.start()))
        else {
            break;
        };
        let whole = captures.get(0).expect("a match has a whole");
        let end = pattern
            .end
            .as_ref()
            .map_or(whole.end(), |end| end.find_at(line, whole.end()).map_or(line.len(), |end| end.end()));
        if let Some(name) = &pattern.name {
            found.push((line[whole.start()..end].to_owned(), name.trim_end_matches(".menard").to_owned()));
        }
        for (group, name) in &pattern.captures {
            if let Some(group) = captures.get(*group) {
                found.push((group.as_str().to_owned(), name.trim_end_matches(".menard").to_owned()));
            }
        }
        assert!(end > at, "no progress in: {line}");
        at = end;
    }
    found
}

#[test]
fn parts_of_texts_have_the_right_colours() {
    for (line, expected) in [
        ("// table x", &[("// table x", "comment.line.double-slash")][..]),
        (
            "param n: int = 1_000 // why",
            &[
                ("param", "keyword.declaration"),
                ("n", "variable.other"),
                (":", "punctuation.separator"),
                ("int", "support.type"),
                ("=", "keyword.operator.assignment"),
                ("1_000", "constant.numeric.integer"),
                ("// why", "comment.line.double-slash"),
            ],
        ),
        (
            "delete t(c, _) :+ new votes(c)",
            &[
                ("delete", "keyword.control"),
                ("t", "entity.name.function"),
                ("c", "variable.other"),
                ("_", "variable.language"),
                (":+", "keyword.operator.rule"),
                ("new", "keyword.control"),
                ("votes", "entity.name.function"),
                ("c", "variable.other"),
            ],
        ),
        (
            "r(0xff)@me :~ crash(x), !s(\"// \\\" :-\"), x != -count (y)",
            &[
                ("r", "entity.name.function"),
                ("0xff", "constant.numeric.hex"),
                ("@", "keyword.operator.destination"),
                ("me", "variable.language"),
                (":~", "keyword.operator.rule"),
                ("crash", "entity.name.function"),
                ("x", "variable.other"),
                ("!", "keyword.operator.logical"),
                ("s", "entity.name.function"),
            ],
        ),
        (
            "fault crash 1 of participant",
            &[
                ("fault", "keyword.declaration"),
                ("crash", "keyword.other"),
                ("1", "constant.numeric.integer"),
                ("of", "keyword.other"),
                ("participant", "variable.other"),
            ],
        ),
        (
            "t(count(p)) :- v(c: 1)",
            &[
                ("t", "entity.name.function"),
                ("count", "support.function"),
                ("p", "variable.other"),
                (":-", "keyword.operator.rule"),
            ],
        ),
        (
            "channel c(int: node) a -> b by int",
            &[
                ("channel", "keyword.declaration"),
                ("c", "entity.name.function"),
                ("int", "variable.other"),
                (":", "punctuation.separator"),
                ("node", "support.type"),
                ("a", "variable.other"),
                ("->", "keyword.operator.channel"),
                ("b", "variable.other"),
                ("by", "keyword.other"),
                ("int", "variable.other"),
            ],
        ),
    ] {
        let found = scopes(line);
        let expected: Vec<(String, String)> =
            expected.iter().map(|(text, scope)| (text.to_string(), scope.to_string())).collect();
        assert_eq!(found.get(..expected.len()), Some(expected.as_slice()), "{line}");
    }
}

/// Strings are the only pattern with an inside.
#[test]
fn escapes_are_coloured_within_strings() {
    let grammar = grammar();
    let string = &grammar["repository"]["strings"]["patterns"][0];
    let inside = |index: usize| {
        Regex::new(string["patterns"][index]["match"].as_str().expect("it matches something")).expect("it is a regex")
    };
    for good in [r"\n", r"\t", r"\\", "\\\"", r"\u{e9}"] {
        assert_eq!(inside(0).find(good).map(|found| found.as_str()), Some(good));
    }
    assert!(!inside(0).is_match(r"\q") && inside(1).is_match(r"\q"));
}

/// Every word and sign of the shipped texts has a colour.
#[test]
fn nothing_is_left_without_colour() {
    for line in VOTING.lines().chain(PLAN.lines()) {
        let coloured: usize =
            scopes(line).iter().map(|(text, _)| text.chars().filter(|c| !c.is_whitespace()).count()).sum();
        let plain = line.chars().filter(|c| !c.is_whitespace() && !"(){}[],".contains(*c)).count();
        let marks_in_comment =
            scopes(line).iter().map(|(text, _)| text.chars().filter(|c| "(){}[],".contains(*c)).count()).sum::<usize>();
        assert_eq!(coloured - marks_in_comment, plain, "{line}");
    }
}
