//! Registers by key: a map whose keys have nothing to do with each other.

use menard_value::Value;

use super::Model;

/// Registers with any values, each empty at first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Registers;

/// What is done to one register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Access {
    /// Writes a value.
    Put {
        /// Which register.
        key: Value,
        /// What.
        value: Value,
    },
    /// Asks for the value.
    Get {
        /// Which register.
        key: Value,
    },
    /// Leaves it empty.
    Remove {
        /// Which register.
        key: Value,
    },
    /// Writes a value if another one is there.
    CompareAndSet {
        /// Which register.
        key: Value,
        /// What has to be there.
        old: Value,
        /// What is there afterwards, then.
        new: Value,
    },
}

/// What is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// That it is done; of [`Access::CompareAndSet`], that it was tried.
    Done,
    /// The value, or that there is none.
    Found(Option<Value>),
    /// Whether the value was the old one, and now is the new one.
    Swapped(bool),
}

impl Access {
    /// Which register.
    pub fn key(&self) -> &Value {
        match self {
            Access::Put { key, .. }
            | Access::Get { key }
            | Access::Remove { key }
            | Access::CompareAndSet { key, .. } => key,
        }
    }
}

impl Model for Registers {
    type Operation = Access;
    type Answer = Answer;
    type State = Option<Value>;
    type Part = Value;

    fn part(&self, operation: &Access) -> Value {
        operation.key().clone()
    }

    fn initial(&self) -> Option<Value> {
        None
    }

    fn after(&self, state: &Option<Value>, operation: &Access, answer: Option<&Answer>) -> Option<Option<Value>> {
        match (operation, answer) {
            (Access::Put { value, .. }, _) => Some(Some(value.clone())),
            (Access::Remove { .. }, _) => Some(None),
            (Access::Get { .. }, Some(Answer::Found(found))) => (found == state).then(|| state.clone()),
            (Access::Get { .. }, _) => Some(state.clone()),
            (Access::CompareAndSet { old, new, .. }, answer) => {
                let swaps = state.as_ref() == Some(old);
                let fits = !matches!(answer, Some(Answer::Swapped(swapped)) if *swapped != swaps);
                let after = if swaps { Some(new.clone()) } else { state.clone() };
                fits.then_some(after)
            }
        }
    }

    fn is_read(&self, operation: &Access, answer: Option<&Answer>) -> bool {
        let missed = matches!(answer, Some(Answer::Swapped(false)));
        matches!(operation, Access::Get { .. }) || missed && matches!(operation, Access::CompareAndSet { .. })
    }
}
