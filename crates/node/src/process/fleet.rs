//! All logical nodes of a program, each a process of this machine, started, watched, and on request killed and started again.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use menard_lang::ir::{FaultKind, Program};
use menard_value::Node;

use super::lines::{Line, encode_phase};
use crate::RunError;
use crate::conductor::{Notice, Who};
use crate::control::Phase;
use crate::layout::Layout;
use crate::random::{self, Random};
use crate::threads::Outcome;

/// How long processes may take to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How often things are looked at that nobody tells of.
const POLL: Duration = Duration::from_millis(5);

/// How the logical nodes of a program become processes.
pub struct Processes {
    /// The command that runs [`super::NodeProcess::run_in_fleet`] for the logical node with a name.
    pub command: Box<dyn Fn(&str) -> Command + Send + Sync>,
    /// Kills a process of a role with a declared restart fault so often, and starts it again.
    pub kill_every: Option<Duration>,
}

/// The processes of a program. Dropping it ends them.
pub(crate) struct Fleet {
    shared: Arc<Shared>,
    killer: Option<JoinHandle<()>>,
}

struct Shared {
    processes: Processes,
    members: Vec<Member>,
    /// Whoever starts a process or tells all of them to go on holds this, so that none misses a phase.
    phase: Mutex<Phase>,
    notices: Sender<Notice>,
    stopping: AtomicBool,
    kills: AtomicU64,
}

/// A logical node.
struct Member {
    name: String,
    /// The number of its process; what an earlier one does at its end is of no interest.
    generation: AtomicU64,
    has_started: AtomicBool,
    process: Mutex<Option<Process>>,
}

struct Process {
    child: Child,
    reader: JoinHandle<()>,
}

impl Fleet {
    /// Starts all processes. What they tell goes to `notices`.
    pub fn start(
        program: &Program,
        layout: &Layout,
        processes: Processes,
        notices: Sender<Notice>,
    ) -> Result<Fleet, RunError> {
        let victims = victims(program, layout);
        if processes.kill_every.is_some() && victims.is_empty() {
            return Err(RunError::NobodyRestarts);
        }
        let member = |(_, name): &(Node, String)| Member {
            name: name.clone(),
            generation: AtomicU64::new(0),
            has_started: AtomicBool::new(false),
            process: Mutex::new(None),
        };
        let kill_every = processes.kill_every;
        let shared = Arc::new(Shared {
            processes,
            members: layout.nodes.iter().map(member).collect(),
            phase: Mutex::new(Phase::WarmUp),
            notices,
            stopping: AtomicBool::new(false),
            kills: AtomicU64::new(0),
        });
        let mut fleet = Fleet { shared: shared.clone(), killer: None };
        for position in 0..shared.members.len() {
            shared.start(position, Phase::WarmUp)?;
        }
        if let Some(every) = kill_every {
            let kill = move || shared.kill_some(&victims, every);
            let killer = Builder::new().name("menard killer".to_owned()).spawn(kill);
            fleet.killer = Some(killer.map_err(RunError::io("start a thread"))?);
        }
        Ok(fleet)
    }

    /// Tells all processes to go on to a phase.
    pub fn advance(&self, phase: Phase) {
        let mut current = lock(&self.shared.phase);
        *current = phase;
        for member in &self.shared.members {
            if let Some(process) = &mut *lock(&member.process) {
                process.tell(phase);
            }
        }
    }

    /// How many processes were killed.
    pub fn kills(&self) -> u64 {
        self.shared.kills.load(Ordering::Relaxed)
    }

    /// Ends all processes, in an orderly way if they let it.
    fn stop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        if let Some(killer) = self.killer.take() {
            let _ = killer.join();
        }
        self.advance(Phase::Stop);
        let deadline = Instant::now() + STOP_TIMEOUT;
        for member in &self.shared.members {
            let Some(mut process) = lock(&member.process).take() else { continue };
            while matches!(process.child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(POLL);
            }
            process.end();
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Nothing that is guarded here can be broken by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The logical nodes that may be killed: of each role as many as it declares, drawn by chance.
fn victims(program: &Program, layout: &Layout) -> Vec<usize> {
    let mut random = Random::new(random::draw());
    let mut victims = Vec::new();
    for fault in program.faults.iter().filter(|fault| fault.kind == FaultKind::Restart) {
        let role = program.role_index(&fault.role);
        let of_role = layout.nodes.iter().enumerate().filter(|(_, (node, _))| Some(node.role) == role);
        let mut nodes: Vec<usize> = of_role.map(|(position, _)| position).collect();
        for _ in 0..fault.nodes.min(u32::try_from(nodes.len()).unwrap_or(u32::MAX)) {
            victims.push(nodes.swap_remove(random.below(nodes.len())));
        }
    }
    victims.sort_unstable();
    victims.dedup();
    victims
}

impl Shared {
    /// Starts the process of a member, and tells it what it has missed. Whoever calls holds the phase.
    fn start(self: &Arc<Self>, position: usize, phase: Phase) -> Result<(), RunError> {
        let member = &self.members[position];
        member.has_started.store(false, Ordering::SeqCst);
        let generation = member.generation.load(Ordering::SeqCst);
        let start = Instant::now();
        let mut command = (self.processes.command)(&member.name);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(RunError::io(format!("start the process of {}", member.name)))?;
        let output = child.stdout.take().expect("it is piped");
        let shared = self.clone();
        let read = move || shared.read(position, generation, output, start);
        let reader = Builder::new().name(format!("menard {}", member.name)).spawn(read);
        let mut process = match reader {
            Ok(reader) => Process { child, reader },
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(RunError::io("start a thread")(error));
            }
        };
        let missed = Phase::ALL.into_iter().filter(|missed| (Phase::Measure..=phase).contains(missed));
        missed.for_each(|phase| process.tell(phase));
        *lock(&member.process) = Some(process);
        Ok(())
    }

    /// Takes what a process says, until its end.
    fn read(&self, position: usize, generation: u64, output: ChildStdout, start: Instant) {
        let member = &self.members[position];
        let mut reason = None;
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            match Line::decode(&line) {
                Some(Line::Started) => member.has_started.store(true, Ordering::SeqCst),
                Some(Line::Entered { place, phase, snapshot }) => {
                    let snapshot = Box::new(snapshot.since(start));
                    drop(self.notices.send(Notice::Node { place, phase, snapshot }));
                }
                Some(Line::Failed { reason: why }) => reason = Some(why),
                None => {}
            }
        }
        let is_over = || self.stopping.load(Ordering::SeqCst) || member.generation.load(Ordering::SeqCst) != generation;
        if is_over() {
            return;
        }
        let reason = reason.unwrap_or_else(|| "its process ended; what it said last is above".to_owned());
        drop(self.notices.send(Notice::Ended { who: Who::Process(position), outcome: Outcome::Failed(reason) }));
    }

    /// Kills members and starts them again, as long as it is measured.
    fn kill_some(self: &Arc<Self>, victims: &[usize], every: Duration) {
        let mut random = Random::new(random::draw());
        let mut next = Instant::now() + every;
        while !self.stopping.load(Ordering::SeqCst) {
            std::thread::sleep(POLL.min(next.saturating_duration_since(Instant::now())));
            let now = Instant::now();
            if now < next {
                continue;
            }
            let victim = victims[random.below(victims.len())];
            if self.members[victim].has_started.load(Ordering::SeqCst) {
                next = now + every;
                if let Err(error) = self.kill(victim) {
                    let outcome = Outcome::Failed(error.to_string());
                    drop(self.notices.send(Notice::Ended { who: Who::Process(victim), outcome }));
                    return;
                }
            } else {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    fn kill(self: &Arc<Self>, victim: usize) -> Result<(), RunError> {
        let phase = lock(&self.phase);
        if *phase != Phase::Measure {
            return Ok(());
        }
        let member = &self.members[victim];
        member.generation.fetch_add(1, Ordering::SeqCst);
        let process = lock(&member.process).take();
        if let Some(process) = process {
            process.end();
        }
        self.kills.fetch_add(1, Ordering::Relaxed);
        self.start(victim, *phase)
    }
}

impl Process {
    fn tell(&mut self, phase: Phase) {
        if let Some(input) = &mut self.child.stdin {
            // It fails if the process has ended, which its reader finds out.
            let _ = input.write_all(encode_phase(phase).as_bytes()).and_then(|()| input.flush());
        }
    }

    /// Kills the process, if it is there still, and waits for its end.
    fn end(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.reader.join();
    }
}
