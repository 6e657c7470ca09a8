//! What else the machine does while something is measured. Only Linux tells; elsewhere nothing is known.

use std::fs::read_to_string;

/// Processor time since the machine was started, in ticks of the system's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticks {
    /// Of all processors, idle or not.
    all: u64,
    /// That went to no program: there was nothing to do, or the kernel served devices and the network, which may have been for us.
    nobodys: u64,
    /// That went to this process.
    ours: u64,
}

impl Ticks {
    /// The ticks so far, if the system tells.
    pub fn now() -> Option<Ticks> {
        parse(&read_to_string("/proc/stat").ok()?, &read_to_string("/proc/self/stat").ok()?)
    }

    /// The percentage of the processors' time that others took between `earlier` and now: other programs, and other virtual machines.
    pub fn others_percent_since(self, earlier: Ticks) -> Option<f64> {
        let all = self.all.checked_sub(earlier.all).filter(|all| *all > 0)?;
        let not_theirs = self.nobodys.saturating_sub(earlier.nobodys) + self.ours.saturating_sub(earlier.ours);
        Some(all.saturating_sub(not_theirs) as f64 / all as f64 * 100.0)
    }
}

/// Reads the two texts of proc(5).
fn parse(machine: &str, process: &str) -> Option<Ticks> {
    let first = machine.lines().next()?.strip_prefix("cpu ")?;
    // user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of the first two.
    let ticks: Vec<u64> = first.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let &[_, _, _, idle, waiting, interrupts, soft_interrupts, _] = &ticks[..] else { return None };
    // The name of the process stands in parentheses and may contain anything; utime and stime are the 12th and 13th word after it.
    let (_, after_name) = process.rsplit_once(')')?;
    let mut words = after_name.split_whitespace().skip(11);
    let mut next = || words.next()?.parse::<u64>().ok();
    let nobodys = idle + waiting + interrupts + soft_interrupts;
    Some(Ticks { all: ticks.iter().sum(), nobodys, ours: next()? + next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "cpu  100 0 50 800 40 1 2 7 0 0\ncpu0 100 0 50 800 40 1 2 7 0 0\nintr 5\n";
    const PROCESS: &str = "71 (a b) c) S 1 71 71 0 -1 4194304 100 0 0 0 30 12 0 0 20 0 4 0 100 1000 10\n";

    #[test]
    fn the_texts_of_the_system_are_read() {
        assert_eq!(parse(MACHINE, PROCESS), Some(Ticks { all: 1000, nobodys: 843, ours: 42 }));
        for (machine, process) in [("", PROCESS), (MACHINE, ""), ("cpu 1 2 3", PROCESS), (MACHINE, "71 (a) S 1 2 3")] {
            assert_eq!(parse(machine, process), None, "{machine} {process}");
        }
    }

    #[test]
    fn what_is_neither_idle_nor_ours_is_theirs() {
        let earlier = Ticks { all: 1000, nobodys: 840, ours: 42 };
        let later = Ticks { all: 1400, nobodys: 940, ours: 142 };
        assert_eq!(later.others_percent_since(earlier), Some(50.0));
        assert_eq!(earlier.others_percent_since(earlier), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells() {
        assert!(Ticks::now().is_some_and(|ticks| ticks.nobodys < ticks.all && ticks.ours < ticks.all));
    }
}
