//! Timers: messages of a node to itself that take their time.

use menard_lang::ir::{Delay, Expr, ExprKind, Unit};
use menard_lang::run::Event;
use menard_lang::{Program, Source, Span, compile_text, plan};
use menard_opt::apply_plan;
use menard_sim::{
    CampaignReport, Config, Groups, Prepared, Replayer, Scope, Stage, campaign, explore, schedule_of, simulate,
};
use menard_value::Value;

use crate::programs::{VOTING, fair};

const SCALABLE: &str = include_str!("../../../../protocols/voting/scalable.plan");

/// Asks until it is told.
const INSISTENT: &str = "protocol insistent
    role client external
    role asker
    role knower[2]
    fault omission 1 of knower
    channel go(id: int)          client -> asker
    channel retry(id: int)       asker -> asker
    channel ask(id: int)         asker -> knower
    channel tell(id: int)        knower -> asker
    component asker {
      table told(id: int)
      event open(id: int)
      open(id)     :- go(id)
      open(id)     :- retry(id), !told(id)
      ask(id)@k    :~ open(id), knower(k)
      retry(id)@me :~ open(id)
      told(id)     :- tell(id)
    }
    component knower { tell(id)@a :~ ask(id) from a }";

/// Makes a channel a timer.
pub fn timed(text: &str, channel: &str, milliseconds: u64) -> Program {
    let mut program = compile_text(text);
    let channel = program.channels.iter_mut().find(|other| other.name == channel).expect("the channel is declared");
    let amount = i64::try_from(milliseconds).expect("a test does not wait so long");
    let amount = Expr { kind: ExprKind::Constant(Value::Int(amount)), span: Span::default() };
    channel.delay = Some(Delay { amount, unit: Unit::Milliseconds, micros: milliseconds * 1000 });
    program
}

#[test]
fn a_run_ends_although_a_timer_sets_itself_again() {
    let text = "protocol clock
        role a
        channel tick(n: int) a -> a
        component a { tick(0)@me :~ start()   tick(n + 1)@me :~ tick(n) }";
    let prepared = Prepared::new(&timed(text, "tick", 50), Config::default());
    let mut counts = Vec::new();
    for seed in 0..100 {
        let run = simulate(&prepared, None, seed);
        assert!(run.trace.drained, "only a timer is in flight");
        assert_eq!(run.stats.timers + 1, run.stats.steps);
        counts.push(run.stats.timers);
    }
    counts.sort_unstable();
    assert!(counts[0] > 0 && counts[99] < 100, "{counts:?}");
    assert!(counts[0] < counts[99], "{counts:?}");
}

#[test]
fn timers_fire_early_in_some_runs_and_late_in_others() {
    let prepared = Prepared::new(&timed(INSISTENT, "retry", 50), fair());
    let asked_twice = |seed: &u64| {
        let run = simulate(&prepared, None, *seed);
        let asks = |event: &Event| match event {
            Event::Step { outputs, .. } => outputs.iter().filter(|message| message.channel == "ask").count(),
            _ => 0,
        };
        let asks: usize = run.trace.events.iter().map(asks).sum();
        assert!(run.trace.drained, "seed {seed}");
        let mut replayer = Replayer::new(&prepared, None);
        replayer.replay(&schedule_of(&run.trace)).expect("a run with timers can be repeated");
        assert_eq!(replayer.trace(), run.trace);
        asks > 20
    };
    let hasty = (0..200).filter(asked_twice).count();
    assert!((40..160).contains(&hasty), "{hasty} of 200 runs asked again before they were told");
}

#[test]
fn timers_are_not_lost_and_messages_are_sent_again_until_they_arrive() {
    let prepared = Prepared::new(&timed(INSISTENT, "retry", 50), Config { requests: 3, ..Config::default() });
    for seed in 0..300 {
        let trace = simulate(&prepared, None, seed).trace;
        assert!(
            !trace
                .events
                .iter()
                .any(|event| matches!(event, Event::Take { message, lost: true } if message.channel == "retry"))
        );
        let told = |event: &&Event| matches!(event, Event::Step { inputs, .. } if inputs.iter().any(|input| input.channel == "tell"));
        assert!(trace.events.iter().filter(told).count() > 0, "seed {seed}");
    }
}

#[test]
fn small_scopes_try_timers_at_every_time() {
    let prepared = Prepared::new(&timed(INSISTENT, "retry", 50), Config { requests: 1, ..fair() });
    let scope = Scope { requests: prepared.sample_requests(1, 0), groups: Groups::All, max_states: 5_000 };
    let found = explore(&prepared, None, &scope);
    assert!(found.complete, "a timer that sets itself again fires only so often");
    let once =
        INSISTENT.replace("open(id)     :- retry(id), !told(id)", "ask(id)@k :~ retry(id), !told(id), knower(k)");
    let prepared = Prepared::new(&timed(&once, "retry", 50), Config { requests: 1, ..fair() });
    let fewer = explore(&prepared, None, &scope);
    assert!(fewer.complete && fewer.distinct_states < found.distinct_states);
}

#[test]
fn a_step_takes_one_message_of_a_serial_channel() {
    let text = "protocol queue
        role client external
        role server
        channel put(id: int)   client -> server
        channel done(id: int)  server -> client
        component server {
          done(id)@c :~ put(id) from c
        }";
    let mut program = compile_text(text);
    program.channels[0].serial = true;
    let prepared = Prepared::new(&program, fair());
    for seed in 0..100 {
        let run = simulate(&prepared, None, seed);
        assert!(run.trace.drained);
        let crowd = |event: &Event| matches!(event, Event::Step { inputs, .. } if inputs.len() > 1);
        assert!(!run.trace.events.iter().any(crowd), "seed {seed}");
    }
    let scope = Scope { requests: prepared.sample_requests(3, 0), groups: Groups::All, max_states: 5_000 };
    let all = explore(&prepared, None, &scope);
    let singles = explore(&prepared, None, &Scope { groups: Groups::Singles, ..scope });
    assert_eq!((all.complete, all.transitions), (true, singles.transitions));
}

/// Voting in which participants vote again after a while, and the leader asks again.
fn persistent_voting(leader_too: bool) -> String {
    let again = "timer again(c: node, id: int, l: node) after 50 ms
      again(c, id, l) :~ ballot(c, id, _) from l
      vote(c, id)@l   :~ again(c, id, l)";
    let nudge = "timer nudge(c: node, id: int, cmd: bytes) after 200 ms
      nudge(c, id, cmd) :~ request(id, cmd) from c
      ask(c, id, cmd)   :- nudge(c, id, cmd)
      ask(c, id, cmd)   :- request(id, cmd) from c";
    let text = VOTING.replace("component participant {", &format!("component participant {{ {again}"));
    if !leader_too {
        return text;
    }
    let asks = text.replace("component leader {", &format!("component leader {{ {nudge}"));
    asks.replace(":~ request(id, cmd) from c, participant(p)", ":~ ask(c, id, cmd), participant(p)")
}

/// Checks refinement through all lines of a plan.
fn check_plan(text: &str, plan: &str, config: &Config) -> CampaignReport {
    let program = compile_text(text);
    let plan = plan::parse(&Source::new("test.plan", plan), &[]).expect("the plan is well formed");
    let applied = apply_plan(&program, &plan).unwrap_or_else(|error| panic!("{error:?}"));
    let all = std::iter::once(&program).chain(applied.iter().map(|stage| &stage.program));
    let prepared: Vec<Prepared> = all.map(|program| Prepared::new(program, config.clone())).collect();
    let (last, originals) = prepared.split_last().expect("there is a program");
    let mut stages: Vec<Stage<'_>> =
        originals.iter().zip(&applied).map(|(original, stage)| Stage { original, lift: &*stage.lift }).collect();
    stages.reverse();
    campaign(last, None, &stages, 300, 0, &mut |_| {})
}

#[test]
fn runs_with_timers_refine_the_original() {
    for leader_too in [false, true] {
        let report = check_plan(&persistent_voting(leader_too), SCALABLE, &Config::default());
        assert_eq!(report.violations, []);
        assert!(report.drained_runs > 100, "{report:?}");
        assert!(report.channels["again"] > 1_000);
    }
}
