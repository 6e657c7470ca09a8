//! Variables that are bound, and terms out of them.

use super::STRINGS;

/// Variables that the rendered literals bind.
#[derive(Default)]
pub(super) struct Bound {
    pub(super) ints: Vec<&'static str>,
    pub(super) nodes: Vec<&'static str>,
    /// Those of other types, with the type's letter.
    pub(super) others: Vec<(char, &'static str)>,
}

impl Bound {
    /// An argument that may bind a variable.
    pub(super) fn bind(&mut self, column: char, choice: u8) -> String {
        if let Some(names) = names_of(column) {
            return match choice {
                0..30 => "_".to_string(),
                30..60 => constant(column, choice),
                _ => {
                    let name = names[usize::from(choice) % names.len()];
                    self.others.push((column, name));
                    name.to_string()
                }
            };
        }
        let (known, names) = match column {
            'n' => (&mut self.nodes, &["m", "n"][..]),
            _ => (&mut self.ints, &["i", "j", "k", "l"][..]),
        };
        match choice {
            0..30 => "_".to_string(),
            30..50 if column == 'n' => "me".to_string(),
            30..50 => (choice % 3).to_string(),
            50..65 if column == 'i' && !known.is_empty() => {
                format!("{} + 1", known[usize::from(choice) % known.len()])
            }
            _ => {
                let name = names[usize::from(choice) % names.len()];
                if !known.contains(&name) {
                    known.push(name);
                }
                name.to_string()
            }
        }
    }

    /// An integer out of bound variables.
    pub(super) fn int(&self, choice: u8) -> String {
        let variable = |choice: u8| match self.ints.len() {
            0 => (choice % 3).to_string(),
            known => self.ints[usize::from(choice) % known].to_string(),
        };
        match choice {
            0..20 => (choice % 4).to_string(),
            20..32 => format!("({} + 1) % 4", variable(choice)),
            32..44 => format!("{} / {}", variable(choice), variable(choice / 2)),
            44..52 => format!("max({}, {})", variable(choice), variable(choice / 3)),
            52..56 => format!("{} * 4611686018427387904", variable(choice)),
            _ => variable(choice),
        }
    }

    /// A value of another type out of bound variables.
    pub(super) fn other(&self, column: char, choice: u8) -> String {
        if column == 'O' && choice >= 128 {
            return format!("some(({}, {}))", self.int(choice), self.node(choice));
        }
        if column == 'P' && choice >= 128 {
            return format!("pair {{ left: {}, right: {} }}", self.int(choice), self.other('S', choice / 2));
        }
        let known: Vec<&str> = self.others.iter().filter(|(of, _)| *of == column).map(|(_, name)| *name).collect();
        match (known.len(), column) {
            (0, _) => constant(column, choice),
            (count, 'L') if choice % 8 == 7 => format!("slice({}, 0, 1)", known[usize::from(choice) % count]),
            (count, 'S') if choice % 8 == 7 => {
                format!("remove({}, {})", known[usize::from(choice) % count], choice % 3)
            }
            (count, _) => known[usize::from(choice) % count].to_string(),
        }
    }

    pub(super) fn node(&self, choice: u8) -> String {
        match self.nodes.len() {
            0 => "me".to_string(),
            _ if choice < 60 => "me".to_string(),
            known => self.nodes[usize::from(choice) % known].to_string(),
        }
    }
}

/// Names of variables of types other than integers and nodes.
fn names_of(column: char) -> Option<&'static [&'static str]> {
    match column {
        's' => Some(&["s", "s2"]),
        'd' => Some(&["d", "d2"]),
        'h' => Some(&["h", "h2"]),
        'z' => Some(&["v", "v2"]),
        'L' => Some(&["list1", "list2"]),
        'S' => Some(&["set1", "set2"]),
        'M' => Some(&["map1"]),
        'O' => Some(&["option1"]),
        'P' => Some(&["pair1"]),
        _ => None,
    }
}

/// A constant of such a type; strings and bytes both short enough to be stored in place and not.
fn constant(column: char, choice: u8) -> String {
    match column {
        's' => format!("{:?}", STRINGS[usize::from(choice) % STRINGS.len()]),
        'd' => ["0x00", "0xff01"][usize::from(choice) % 2].to_string(),
        'h' => format!("hash({})", choice % 2),
        'L' => ["[]", "[0, 1]", "[2, 1, 2]"][usize::from(choice) % 3].to_string(),
        'S' => ["set_of([])", "set_of([1, 0])"][usize::from(choice) % 2].to_string(),
        'M' => ["map_of([])", "map_of([(0, 1), (2, 1)])"][usize::from(choice) % 2].to_string(),
        'O' => ["none()", "some((1, me))"][usize::from(choice) % 2].to_string(),
        'P' => "pair { left: 1, right: set_of([2]) }".to_string(),
        _ => (choice < 128).to_string(),
    }
}
