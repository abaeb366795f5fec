//! `setup [--runs N] [PLAN...]`: how soon a call rings and sounds over links with a delay, and over links that are bad; and
//! what a relay adds to the way.
//!
//! ```text
//!   known      25 ms a link, both online, contacts, answered at once    rings, sounds
//!   answered   the same, answered after two seconds                     both hear
//!   started    the caller's program is started to call                  can call
//!   blocked    the same, one end's network lets no UDP out              can call
//!   poor       500 kbit/s, 450 ms there and back, 12 % loss             sounds
//!   awful      256 kbit/s, 800 ms there and back, 25 % loss             sounds
//!   relayed    no delay, two symmetric homes: through the relays        there and back
//! ```
//!
//! Real `silbo` processes, behind port-restricted routers but for the last two; there and back is between the two homes. All plans are played
//! unless some are named, in namespaces of their own. Prints a table on stderr and one JSON object on stdout. Exit status:
//! 0 every bar kept, 1 a bar missed, 77 this system allows no namespaces and nothing was run.

use anyhow::{Context as _, Result, bail, ensure};
use lab::grid::call::Run;
use lab::grid::{self, Callee, Caller, Cell, Plan, Square, Uplinks};
use lab::link;
use lab::netns::{self, Internet};
use lab::reflect;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "setup: {error:#}");
        ExitCode::FAILURE
    })
}

/// The first argument of the program that plays one plan, in namespaces of its own.
const ONE: &str = "one";
/// That program could not make any.
const CANNOT_RUN: i32 = 77;

fn run() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words[..] {
        [word, half] if word == reflect::WORD => {
            writeln!(std::io::stdout(), "{}", reflect::serve(half)?)?;
            Ok(ExitCode::SUCCESS)
        }
        [word, rest @ ..] if word == link::WORD => {
            link::serve(rest)?;
            Ok(ExitCode::SUCCESS)
        }
        [word, name, runs] if word == ONE => {
            let (plan, runs) = (Case::named(name)?, runs.parse()?);
            netns::within("no call was timed.", || {
                writeln!(std::io::stdout(), "{}", serde_json::to_string(&plan.judge(plan.play(runs)?))?)?;
                Ok(ExitCode::SUCCESS)
            })
        }
        _ => all(&words),
    }
}

/// Calls of a plan, unless told.
const RUNS: usize = 20;

fn all(words: &[String]) -> Result<ExitCode> {
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    lab::speech::file()?;
    let (mut runs, mut cases) = (RUNS, Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--runs" => runs = words.next().context("--runs wants a number")?.parse()?,
            name => cases.push(Case::named(name)?),
        }
    }
    ensure!(runs > 0, "no runs were asked for");
    if cases.is_empty() {
        cases.extend(CASES);
    }
    let mut bars: Vec<Bar> = Vec::new();
    for case in cases {
        let output = Command::new(std::env::current_exe()?)
            .args([ONE, case.name, &runs.to_string()])
            .stderr(Stdio::inherit())
            .output()?;
        match output.status.code() {
            Some(0) => {}
            Some(CANNOT_RUN) => return Ok(ExitCode::from(CANNOT_RUN as u8)),
            _ => bail!("{} could not be played", case.name),
        }
        bars.extend(serde_json::from_slice::<Vec<Bar>>(&output.stdout)?);
    }
    for bar in &bars {
        let mark = if bar.passed { "ok" } else { "MISSED" };
        let Bar { case, what, p50, worst, allowed, heard, of, .. } = bar;
        writeln!(
            std::io::stderr(),
            "{mark:<7}{case:<10}{what:<36}p50 {p50:>5} ms, worst {worst:>5} ms, bar {allowed} ms, sound in {heard} of {of}"
        )?;
    }
    let passed = bars.iter().all(|bar| bar.passed);
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&Summary { bench: "setup", passed, bars })?)?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Serialize)]
struct Summary {
    bench: &'static str,
    passed: bool,
    bars: Vec<Bar>,
}

/// What was measured of a plan, against what is allowed.
#[derive(Debug, Serialize, Deserialize)]
struct Bar {
    case: String,
    what: String,
    p50: f64,
    worst: f64,
    allowed: f64,
    /// Calls that came to sound both ways.
    heard: usize,
    of: usize,
    passed: bool,
}

/// See the drawing above.
#[derive(Debug, Clone, Copy)]
struct Case {
    name: &'static str,
    cell: &'static str,
    link: Option<&'static str>,
    caller: Caller,
    answers_after: Option<Duration>,
    bars: &'static [(Measure, Judged, Duration)],
}

/// What is timed.
#[derive(Debug, Clone, Copy)]
enum Measure {
    /// From the start of the program until it calls.
    Start,
    /// From `calling` until it rings there.
    Rings,
    /// From `calling` to the caller's first sound.
    Sounds,
    /// From the answer until both hear.
    BothHear,
    /// Of the way the call takes, there and back, for the side for which it is longer.
    RoundTrip,
}

/// Which of the runs must keep the bar.
#[derive(Debug, Clone, Copy)]
enum Judged {
    Median,
    /// Nineteen of twenty, sound in each of them.
    NinetyFive,
    All,
}

const MS: Duration = Duration::from_millis(1);
const NEAR: &str = "delay_ms=25";
const CASES: [Case; 7] = [
    Case {
        name: "known",
        cell: "port:port",
        link: Some(NEAR),
        caller: Caller::Online,
        answers_after: None,
        bars: &[
            (Measure::Rings, Judged::Median, MS.saturating_mul(300)),
            (Measure::Sounds, Judged::Median, MS.saturating_mul(650)),
        ],
    },
    Case {
        name: "answered",
        cell: "port:port",
        link: Some(NEAR),
        caller: Caller::Online,
        answers_after: Some(Duration::from_secs(2)),
        bars: &[(Measure::BothHear, Judged::All, MS.saturating_mul(300))],
    },
    Case {
        name: "started",
        cell: "port:port",
        link: Some(NEAR),
        caller: Caller::JustStarted,
        answers_after: None,
        bars: &[(Measure::Start, Judged::All, MS.saturating_mul(1500))],
    },
    Case {
        name: "blocked",
        cell: "port:udpblocked",
        link: Some(NEAR),
        caller: Caller::JustStarted,
        answers_after: None,
        bars: &[(Measure::Start, Judged::All, MS.saturating_mul(2000))],
    },
    // Four links lead there and back, and each direction of two of them loses on its own.
    Case {
        name: "poor",
        cell: "port:port",
        link: Some("delay_ms=112,loss=0.062,kbit=500"),
        caller: Caller::JustStarted,
        answers_after: None,
        bars: &[(Measure::Sounds, Judged::NinetyFive, MS.saturating_mul(20_000))],
    },
    Case {
        name: "awful",
        cell: "port:port",
        link: Some("delay_ms=200,loss=0.134,kbit=256"),
        caller: Caller::JustStarted,
        answers_after: None,
        bars: &[(Measure::Sounds, Judged::NinetyFive, MS.saturating_mul(20_000))],
    },
    // A relay may add a millisecond a way to what the network itself takes, which is next to nothing here.
    Case {
        name: "relayed",
        cell: "symmetric:symmetric",
        link: None,
        caller: Caller::JustStarted,
        answers_after: None,
        bars: &[(Measure::RoundTrip, Judged::NinetyFive, MS.saturating_mul(2))],
    },
];

impl Case {
    fn named(name: &str) -> Result<Self> {
        let found = CASES.into_iter().find(|case| case.name == name);
        found.with_context(|| format!("there is no plan {name:?}"))
    }

    fn play(self, runs: usize) -> Result<Square> {
        let mut internet = Internet::build().context("the network of the lab could not be built")?;
        let cell: Cell = self.cell.parse()?;
        // What a bad link loses would hide what the routers do.
        cell.lay(&internet)?;
        if let Some(link) = self.link {
            internet.put_links(link)?;
        }
        let plan = Plan {
            cells: vec![cell],
            runs,
            guessing: Duration::ZERO,
            caller: self.caller,
            callee: Callee::Contact { answers_after: self.answers_after },
            uplinks: Uplinks::Measured,
        };
        grid::play(&internet, &plan)?.pop().context("nothing was played")
    }

    fn judge(self, square: Square) -> Vec<Bar> {
        self.bars
            .iter()
            .map(|(measure, judged, allowed)| self.bar(&square.runs, *measure, *judged, *allowed))
            .collect()
    }

    fn bar(self, runs: &[Run], measure: Measure, judged: Judged, allowed: Duration) -> Bar {
        let mut times: Vec<f64> = runs.iter().filter_map(|run| measure.of(run)).collect();
        times.sort_unstable_by(f64::total_cmp);
        let nth = |nth: usize| times.get(nth).copied().unwrap_or(f64::MAX);
        let (p50, worst) = (nth(times.len() / 2), times.last().copied().unwrap_or(f64::MAX));
        let heard = runs.iter().filter(|run| run.fault.is_none()).count();
        let limit = allowed.as_secs_f64() * 1000.0;
        let in_time = runs.iter().filter(|run| measure.of(run).is_some_and(|time| time <= limit)).count();
        let kept = match judged {
            Judged::Median => heard == runs.len() && p50 <= limit,
            Judged::NinetyFive => in_time * 20 >= runs.len() * 19,
            Judged::All => heard == runs.len() && worst <= limit,
        };
        let (case, what) = (self.name.to_owned(), measure.words().to_owned());
        Bar {
            case,
            what,
            p50,
            worst,
            allowed: limit,
            heard,
            of: runs.len(),
            passed: kept && !times.is_empty(),
        }
    }
}

impl Measure {
    /// In milliseconds.
    fn of(self, run: &Run) -> Option<f64> {
        let whole = match self {
            Self::Start => run.start_ms,
            Self::Rings => run.rings_ms,
            Self::Sounds => run.setup_ms,
            Self::BothHear => run.both_hear_ms,
            Self::RoundTrip => {
                let [one, other] = [&run.alice, &run.bob].map(|way| way.as_ref().and_then(|way| way.rtt_ms));
                return Some(one?.max(other?));
            }
        };
        whole.map(|ms| ms as f64)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Start => "start until somebody can be called",
            Self::Rings => "calling until it rings",
            Self::Sounds => "calling until sound",
            Self::BothHear => "answer until both hear",
            Self::RoundTrip => "there and back",
        }
    }
}
