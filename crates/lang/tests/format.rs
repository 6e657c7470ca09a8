//! Formatting: one layout, no comment lost, nothing changed the second time.

use menard_lang::{Source, format};

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const PROPERTIES: &str = include_str!("../../../protocols/voting/properties.ded");
const PLAN: &str = include_str!("../../../protocols/voting/scalable.plan");

fn formatted(text: &str) -> String {
    format(&Source::new("test.ded", text)).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn the_texts_of_voting_are_in_the_layout() {
    for text in [VOTING, PROPERTIES, PLAN] {
        assert_eq!(formatted(text), text);
    }
}

#[test]
fn squeezed_and_stretched_texts_get_the_same_layout() {
    let text = "protocol   p role a   role b[ 2 ]\n\n\n\nchannel ask(x:int)a->b channel answer( x : int , y:bytes ) b->a\n\
        component   a{ table t(x:int)\n t(x):-answer(x,_)  from  b\n delete t( _ ):+start( )\n ask(x+1)@b:~new t(x),!t( -x*( 2-3 ) ) }";
    let expected = "\
protocol p
role a
role b[2]

channel ask(x: int)              a -> b
channel answer(x: int, y: bytes)  b -> a
component a {
  table t(x: int)
  t(x)        :- answer(x, _) from b
  delete t(_) :+ start()
  ask(x + 1)@b :~ new t(x), !t(-x * (2 - 3))
}
";
    // Alignment is checked by the columns below, not by hand-counted spaces.
    let normal = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let result = formatted(text);
    assert_eq!(normal(&result), normal(expected));
    assert_eq!(result, formatted(&result));
    let columns: Vec<_> =
        result.lines().filter_map(|line| line.find(" :").filter(|_| line.starts_with("  "))).collect();
    assert_eq!(columns, [14, 14, 14], "{result}");
    let ends: Vec<_> =
        result.lines().filter(|line| line.starts_with("channel")).map(|line| line.find(")  ").is_some()).collect();
    assert_eq!(ends, [true, true], "{result}");
}

#[test]
fn comments_stay_where_they_were() {
    let text = "\
// first
protocol p // why

// about the role
role a // trailing


// far
component a { // opened

  // before
  table t(x: int) // a table
  t(x) :- // from the start
    start(), // once
    // alone
    x = 1 // end

  // last

}
// after
";
    let expected = "\
// first
protocol p  // why

// about the role
role a  // trailing

// far
component a {  // opened
  // before
  table t(x: int)  // a table
  t(x) :-  // from the start
      start(),  // once
      // alone
      x = 1  // end

  // last
}
// after
";
    assert_eq!(formatted(text), expected);
    assert_eq!(formatted(expected), expected);
}

#[test]
fn long_rules_get_a_line_for_each_literal() {
    let literals: Vec<String> = (0..12).map(|number| format!("some_relation(x, {number})")).collect();
    let text = format!("protocol p\nrole a\ncomponent a {{\n  r(x) :- {}\n}}\n", literals.join(", "));
    let result = formatted(&text);
    assert_eq!(result.lines().filter(|line| line.starts_with("      some_relation")).count(), 12, "{result}");
    assert_eq!(formatted(&result), result);
}

#[test]
fn texts_with_syntax_errors_are_left_alone() {
    let errors = format(&Source::new("test.ded", "protocol p\nrole [")).expect_err("a role needs a name");
    assert!(errors.iter().all(|error| error.code.name().starts_with("E01")), "{errors}");
}
