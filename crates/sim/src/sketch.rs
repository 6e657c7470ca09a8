//! How many different things were seen, about, in a kilobyte: a sketch (HyperLogLog; Flajolet and others, 2007) of a set of hashes.
//!
//! What was seen in one order or another, at once or in parts that are merged, gives the same sketch.

/// The bits of a hash that choose a register.
const BITS: u32 = 10;
/// Registers: the estimate is off by about 3 %.
const REGISTERS: usize = 1 << BITS;
/// Corrects the bias of the estimate for so many registers.
const ALPHA: f64 = 0.7213 / (1.0 + 1.079 / REGISTERS as f64);

/// A set of which only the size is known, about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sketch {
    /// For each register, the most leading zeros of a hash that chose it, and one more.
    registers: Vec<u8>,
}

impl Default for Sketch {
    fn default() -> Self {
        Sketch { registers: vec![0; REGISTERS] }
    }
}

impl Sketch {
    /// A sketch that [`Sketch::registers`] gave, if it is one.
    pub fn from_registers(registers: Vec<u8>) -> Option<Self> {
        let most = u8::try_from(u64::BITS - BITS + 1).expect("a hash has few bits");
        let fits = registers.len() == REGISTERS && registers.iter().all(|zeros| *zeros <= most);
        fits.then_some(Sketch { registers })
    }

    /// What it is made of.
    pub fn registers(&self) -> &[u8] {
        &self.registers
    }

    /// Adds something by its hash, all bits of which have to be random.
    pub fn add(&mut self, hash: u64) {
        let register = (hash >> (u64::BITS - BITS)) as usize;
        // A bit below those that are left ends the count.
        let rest = hash << BITS | 1 << (BITS - 1);
        let zeros = u8::try_from(rest.leading_zeros() + 1).expect("a hash has few bits");
        self.registers[register] = self.registers[register].max(zeros);
    }

    /// Adds all that another sketch has seen.
    pub fn merge(&mut self, other: &Sketch) {
        for (ours, theirs) in self.registers.iter_mut().zip(&other.registers) {
            *ours = (*ours).max(*theirs);
        }
    }

    /// How many different things it has seen, about.
    pub fn estimate(&self) -> u64 {
        let count = REGISTERS as f64;
        let sum: f64 = self.registers.iter().map(|zeros| f64::from(*zeros).exp2().recip()).sum();
        let estimate = ALPHA * count * count / sum;
        let empty = self.registers.iter().filter(|zeros| **zeros == 0).count();
        let estimate = match empty {
            // Few things: how many registers nothing has chosen tells more.
            1.. if estimate <= 2.5 * count => count * (count / empty as f64).ln(),
            _ => estimate,
        };
        estimate.round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::mix;

    fn of(range: std::ops::Range<u64>) -> Sketch {
        let mut sketch = Sketch::default();
        range.for_each(|number| sketch.add(mix(number)));
        sketch
    }

    #[test]
    fn sizes_are_about_right() {
        for size in [0, 1, 30, 1_000, 3_000, 100_000] {
            let estimate = of(0..size).estimate();
            assert!(estimate.abs_diff(size) * 10 <= size, "{estimate} for {size}");
        }
    }

    #[test]
    fn parts_make_the_whole() {
        let mut left = of(0..700);
        left.merge(&of(500..2_000));
        assert_eq!(left, of(0..2_000));
        assert_eq!(Sketch::from_registers(left.registers().to_vec()), Some(left));
        assert_eq!(Sketch::from_registers(vec![0; 3]), None);
        assert_eq!(Sketch::from_registers(vec![99; REGISTERS]), None);
    }
}
