//! Calls between real `silbo` processes behind real (nftables) NATs, a carrier's among them, and a firewall that lets no
//! UDP out.
//!
//! ```text
//! nat [--quick] [--runs N] [--cells A:B,C:D] [--svg FILE] [--link LINK] [--online] [--known | --ring SECONDS]
//! ```
//!
//! Every pair of the eight uplinks is played `--runs` times, half of them from either side, and held against theory; two
//! long calls are scored. `--cells` plays some pairs only, and scores none; `--quick` plays six of them once. `--link`
//! puts such a link (`delay_ms=25,loss=0.01`, see [`lab::link`]) between every router and the internet, once all uplinks
//! are measured; with `--known` the callee is a contact, and no name is looked up; with `--ring` one who answers after
//! that long. With `--online` the caller's program is not started for each call, but runs as the callee's does.
//!
//! Prints a grid on stderr, one JSON object on stdout, and a picture to a file. Exit status: 0 every bar kept, 1 a bar
//! failed, 77 this system allows no namespaces and nothing was run.

use anyhow::{Context as _, Result, bail};
use lab::grid::{self, Callee, Caller, Cell, Grid, Plan, Square, Uplinks};
use lab::link;
use lab::netns::{self, Internet};
use lab::reflect;
use lab::script::Report;
use serde::Serialize;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "nat: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, half] = &arguments[..]
        && word == reflect::WORD
    {
        writeln!(std::io::stdout(), "{}", reflect::serve(half)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let [word, rest @ ..] = &arguments[..]
        && word == link::WORD
    {
        link::serve(rest)?;
        return Ok(ExitCode::SUCCESS);
    }
    let wish = Wish::read(&arguments)?;
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    lab::speech::file()?;
    netns::within("no call was made behind a NAT.", || play(&wish))
}

/// What is asked for.
#[derive(Debug)]
struct Wish {
    plan: Plan,
    /// Cells in which a call of this length is scored.
    heard: Vec<Cell>,
    length: Duration,
    svg: Option<PathBuf>,
    link: Option<String>,
}

/// Length of a scored call, and of the one in `make test`: five seconds are scored after the first.
const WHOLE: Duration = Duration::from_secs(12);
const QUICK: Duration = Duration::from_secs(8);
/// Calls in a cell unless told.
const RUNS: usize = 2;
/// How long a call may guess ports.
const GUESSING: Duration = Duration::from_secs(15);

/// One of every sort: two ways in by being written to, the same through a carrier, a port that must be guessed, two hard
/// ends, and no UDP.
const SOME: &str = "port:port,addr:symmetric,port:cgn-port,port:symmetric,symmetric:cgn-sym,port:udpblocked";
/// Where sound is scored: directly, and where the relay is needed or a port guessed.
const HEARD: &str = "port:port,port:symmetric";
const HEARD_QUICKLY: &str = "port:symmetric";

impl Wish {
    fn read(arguments: &[String]) -> Result<Self> {
        let plan = Plan {
            cells: Cell::all(),
            runs: RUNS,
            guessing: GUESSING,
            caller: Caller::JustStarted,
            callee: Callee::ByName,
            uplinks: Uplinks::Unknown,
        };
        let mut wish = Self { plan, heard: cells(HEARD)?, length: WHOLE, svg: None, link: None };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} wants a value"));
            match word.as_str() {
                "--quick" => {
                    (wish.plan.cells, wish.plan.runs, wish.plan.guessing) = (cells(SOME)?, 1, Duration::ZERO);
                    (wish.heard, wish.length) = (cells(HEARD_QUICKLY)?, QUICK);
                }
                "--runs" => wish.plan.runs = value()?.parse().context("--runs wants a number")?,
                "--cells" => (wish.plan.cells, wish.heard) = (cells(value()?)?, Vec::new()),
                "--svg" => wish.svg = Some(value()?.into()),
                "--online" => wish.plan.caller = Caller::Online,
                "--known" => wish.plan.callee = Callee::Contact { answers_after: None },
                "--ring" => {
                    let seconds = value()?.parse().context("--ring wants seconds")?;
                    let answers_after = Some(Duration::try_from_secs_f64(seconds)?);
                    wish.plan.callee = Callee::Contact { answers_after };
                }
                "--link" => {
                    let link = value()?;
                    link.parse::<link::Link>()?;
                    wish.link = Some(link.clone());
                }
                other => bail!("unknown argument {other}"),
            }
        }
        Ok(wish)
    }
}

fn cells(text: &str) -> Result<Vec<Cell>> {
    text.split(',').map(str::parse).collect()
}

#[derive(Serialize)]
struct Summary {
    bench: &'static str,
    passed: bool,
    faults: Vec<String>,
    cells: Vec<Square>,
    heard: Vec<Heard>,
}

/// A scored call.
#[derive(Serialize)]
struct Heard {
    cell: String,
    call: Report,
}

fn play(wish: &Wish) -> Result<ExitCode> {
    let mut internet = Internet::build().context("the network of the lab could not be built")?;
    let mut plan = wish.plan.clone();
    if let Some(link) = &wish.link {
        for cell in &plan.cells {
            cell.lay(&internet)?;
        }
        plan.uplinks = Uplinks::Measured;
        internet.put_links(link)?;
    }
    let grid = Grid::judge(grid::play(&internet, &plan)?);
    let mut err = std::io::stderr();
    let mut faults = grid.faults.clone();
    let mut heard = Vec::new();
    for cell in &wish.heard {
        match grid::call::hear(&internet, *cell, wish.length) {
            Ok(call) => {
                writeln!(
                    err,
                    "heard {cell:<22}PESQ-WB alice {:.2}, bob {:.2}",
                    call.alice_heard.mean, call.bob_heard.mean
                )?;
                faults.extend(call.bad_sound().into_iter().map(|fault| format!("{cell}: {fault}")));
                heard.push(Heard { cell: cell.to_string(), call });
            }
            Err(error) => faults.push(format!("{cell} could not be heard: {error:#}")),
        }
    }
    writeln!(err, "\n{}\n{}", grid.text(), grid.times())?;
    for fault in &faults {
        writeln!(err, "FAILED {}", fault.replace('\n', "\n       "))?;
    }
    if let Some(file) = &wish.svg {
        std::fs::write(file, grid.picture()).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let passed = faults.is_empty();
    let summary = Summary { bench: "nat", passed, faults, cells: grid.cells, heard };
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&summary)?)?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
