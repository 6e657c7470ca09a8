//! What is counted in runs: messages, rules that fired, states.

use super::Simulator;
use crate::host::Host;
use crate::sketch::Sketch;

impl Simulator<'_> {
    /// Adds to each channel's count how many messages the last run sent on it.
    pub(crate) fn count_messages(&self, counts: &mut [u64]) {
        for packet in &self.world.log.packets {
            counts[usize::from(packet.channel)] += 1;
        }
    }

    /// Counts from now on how often rules fire; gives a count of 0 for each, by component and rule.
    pub(crate) fn count_firings(&mut self) -> Vec<Vec<u64>> {
        self.world.engines.iter_mut().for_each(Host::count_firings);
        self.world.prepared.components.iter().map(|component| vec![0; component.rules]).collect()
    }

    /// Adds to each rule's count how often it fired since this was asked last.
    pub(crate) fn take_firings(&mut self, counts: &mut [Vec<u64>]) {
        let prepared = self.world.prepared;
        for (component, counts) in prepared.components.iter().zip(counts) {
            let nodes = prepared.roles[usize::from(component.role)].nodes;
            let places = component.first as usize..(component.first + nodes * component.parts) as usize;
            for engine in &mut self.world.engines[places] {
                engine.take_firings(|rule, times| counts[rule] += times);
            }
        }
    }

    /// Looks from now on at states of nodes.
    pub(crate) fn sample_states(&mut self) {
        self.world.states = Some(Sketch::default());
    }

    /// The states that were seen since this was asked last, if they are looked at.
    pub(crate) fn take_states(&mut self) -> Option<Sketch> {
        self.world.states.as_mut().map(std::mem::take)
    }
}
