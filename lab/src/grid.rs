//! Calls between two uplinks of every kind: what each became, and what theory says it can become at best.
//!
//! ```text
//!   cell (one, other) ──▶ both uplinks laid and measured ──▶ runs: either side calls ──▶ Outcome, set-up time
//!                    └──▶ relay::nat::way: the oracle                                      │
//!                                                  grid as text and picture ◀── judged ◀───┘
//! ```
//!
//! A run is real: `silbo` calls `silbo`, sound flows both ways, and it hangs up once the call goes the way the oracle
//! promises, or has had its time to.

pub mod call;
mod picture;
mod text;

use crate::netns::{Home, Internet};
use crate::reflect;
use anyhow::{Context as _, Result, bail};
use call::Run;
use relay::nat::{Uplink, Way, way};
use serde::Serialize;
use std::fmt;
use std::io::Write as _;
use std::str::FromStr;
use std::time::Duration;

/// A pair of uplinks, whoever calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Home A's.
    pub one: Uplink,
    /// Home B's.
    pub other: Uplink,
}

impl Cell {
    /// All thirty-six.
    pub fn all() -> Vec<Self> {
        Uplink::pairs().map(|(one, other)| Self { one, other }).collect()
    }

    /// The best there can be, by theory.
    pub fn oracle(self) -> Way {
        way(self.one.behaviour(), self.other.behaviour())
    }

    /// Lays both uplinks, and insists that they are what they are called.
    pub fn lay(self, internet: &Internet) -> Result<()> {
        reflect::put(internet, Home::A, self.one)?;
        reflect::put(internet, Home::B, self.other)
    }

    /// Lays both uplinks again.
    fn lay_as_measured(self, internet: &Internet) -> Result<()> {
        internet.set_nat(Home::A, self.one.into())?;
        internet.set_nat(Home::B, self.other.into())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&format!("{}:{}", self.one, self.other))
    }
}

impl FromStr for Cell {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (one, other) = text.split_once(':').with_context(|| format!("{text:?} is no pair a:b"))?;
        let (one, other) = (one.parse()?, other.parse()?);
        // In the order of the grid.
        Ok(if one <= other { Self { one, other } } else { Self { one: other, other: one } })
    }
}

/// What a call became, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// From host to host.
    Direct,
    /// Through a relay, over UDP on both sides.
    RelayedUdp,
    /// Through a relay, over TCP or TLS on one side at least.
    RelayedTcp,
    /// No sound, or not both ways, or no proper end.
    Failed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Direct => "direct",
            Self::RelayedUdp => "relayed",
            Self::RelayedTcp => "by TCP",
            Self::Failed => "failed",
        })
    }
}

/// One cell, played.
#[derive(Debug, Clone, Serialize)]
pub struct Square {
    /// Which.
    #[serde(flatten, serialize_with = "names")]
    pub cell: Cell,
    /// What most runs became, the worse one of as many.
    pub became: Outcome,
    /// How many did.
    pub agreed: usize,
    /// From `calling` to sound, over the runs that came to sound.
    pub median_setup_ms: Option<i64>,
    /// All of them.
    pub runs: Vec<Run>,
}

fn names<S: serde::Serializer>(cell: &Cell, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap as _;
    let mut map = serializer.serialize_map(Some(3))?;
    map.serialize_entry("one", cell.one.name())?;
    map.serialize_entry("other", cell.other.name())?;
    map.serialize_entry("oracle", &format!("{:?}", cell.oracle()))?;
    map.end()
}

impl Square {
    /// Puts the runs of a cell together.
    pub fn new(cell: Cell, runs: Vec<Run>) -> Self {
        let count = |outcome: Outcome| runs.iter().filter(|run| run.became == outcome).count();
        let outcomes =
            [Outcome::Direct, Outcome::RelayedUdp, Outcome::RelayedTcp, Outcome::Failed].map(|outcome| {
                // The last of equals is taken.
                (count(outcome), outcome)
            });
        let (agreed, became) = outcomes.into_iter().max().unwrap_or((0, Outcome::Failed));
        let mut setup: Vec<i64> = runs.iter().filter_map(|run| run.setup_ms).collect();
        setup.sort_unstable();
        let median_setup_ms = setup.get(setup.len() / 2).copied();
        Self { cell, became, agreed, median_setup_ms, runs }
    }

    /// Whether it became less, in most runs, than the oracle says it can without guessing.
    fn fell_short(&self) -> bool {
        self.became > worst_allowed(self.cell.oracle())
    }
}

/// The least that is expected: a port that must be guessed may stay unknown.
const fn worst_allowed(oracle: Way) -> Outcome {
    match oracle {
        Way::Direct => Outcome::Direct,
        Way::DirectByGuessing | Way::RelayedUdp => Outcome::RelayedUdp,
        Way::RelayedTcp => Outcome::RelayedTcp,
    }
}

/// All that was played.
#[derive(Debug, Serialize)]
pub struct Grid {
    /// Every cell.
    pub cells: Vec<Square>,
    /// What is below the bars, in words; empty when nothing is.
    pub faults: Vec<String>,
}

/// Runs that are direct, of those that can be without guessing.
const DIRECT_BAR: f64 = 0.99;

impl Grid {
    /// Judges what was played.
    pub fn judge(cells: Vec<Square>) -> Self {
        let mut faults = Vec::new();
        let (mut can_be_direct, mut direct) = (0, 0);
        for square in &cells {
            let (cell, runs) = (square.cell, &square.runs);
            for fault in runs.iter().filter_map(|run| run.fault.as_ref()) {
                faults.push(format!("{cell} failed: {fault}"));
            }
            let are = runs.iter().filter(|run| run.became == Outcome::Direct).count();
            match cell.oracle() {
                Way::Direct => (can_be_direct, direct) = (can_be_direct + runs.len(), direct + are),
                Way::DirectByGuessing => {}
                Way::RelayedUdp | Way::RelayedTcp if are > 0 => {
                    faults.push(format!("{cell} was direct, which cannot be: the lab leaks"));
                }
                Way::RelayedUdp | Way::RelayedTcp => {}
            }
        }
        if f64::from(direct as u32) < DIRECT_BAR * f64::from(can_be_direct as u32) {
            faults.push(format!("{direct} of {can_be_direct} runs that can be direct were"));
        }
        Self { cells, faults }
    }

    /// The grid in letters.
    pub fn text(&self) -> String {
        text::write(&self.cells)
    }

    /// How long setting calls up took, over all cells.
    pub fn times(&self) -> String {
        text::times(&self.cells)
    }

    /// The grid as an SVG picture.
    pub fn picture(&self) -> String {
        picture::draw(&self.cells)
    }
}

/// What the caller knows of the callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callee {
    /// A name, to be looked up.
    ByName,
    /// A contact, by the key, who answers at once or after this long.
    Contact {
        /// How long it rings.
        answers_after: Option<Duration>,
    },
}

/// Since when the caller's program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// It is started to make the call.
    JustStarted,
    /// It has been online for a while, as the callee's.
    Online,
}

/// What is known of the uplinks of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uplinks {
    /// Each is measured when it is laid.
    Unknown,
    /// All were measured before: a link that loses much now would hide what they do.
    Measured,
}

/// How much is played.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which cells.
    pub cells: Vec<Cell>,
    /// Calls in each, half of them from either side.
    pub runs: usize,
    /// How long a call may guess.
    pub guessing: Duration,
    /// Whether alice was online before.
    pub caller: Caller,
    /// How bob is called.
    pub callee: Callee,
    /// Whether they were measured.
    pub uplinks: Uplinks,
}

/// Plays all cells, and says on stderr how each went.
pub fn play(internet: &Internet, plan: &Plan) -> Result<Vec<Square>> {
    if plan.runs == 0 {
        bail!("no runs were asked for");
    }
    let mut squares = Vec::new();
    for cell in &plan.cells {
        match plan.uplinks {
            Uplinks::Unknown => cell.lay(internet)?,
            Uplinks::Measured => cell.lay_as_measured(internet)?,
        }
        let square = Square::new(*cell, call::play(internet, *cell, plan)?);
        let mut err = std::io::stderr();
        let mark = if square.fell_short() { "SHORT" } else { "ok" };
        writeln!(err, "{mark:<6}{cell:<22}{}", text::runs(&square))?;
        for fault in square.runs.iter().filter_map(|run| run.fault.as_ref()) {
            writeln!(err, "      {}", fault.replace('\n', "\n      "))?;
        }
        squares.push(square);
    }
    Ok(squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(became: Outcome, setup_ms: Option<i64>) -> Run {
        let fault = (became == Outcome::Failed).then(|| "no sound".to_owned());
        Run {
            caller: "a",
            became,
            setup_ms,
            start_ms: None,
            rings_ms: None,
            both_hear_ms: None,
            alice: None,
            bob: None,
            fault,
        }
    }

    fn square(cell: &str, outcomes: &[Outcome]) -> Square {
        Square::new(cell.parse().unwrap(), outcomes.iter().map(|outcome| run(*outcome, Some(100))).collect())
    }

    #[test]
    fn a_cell_is_the_same_from_either_side() {
        let cell: Cell = "symmetric:port".parse().unwrap();
        assert_eq!((cell.one, cell.other), (Uplink::PortRestricted, Uplink::Symmetric));
        assert!("port".parse::<Cell>().is_err() && "port:dial-up".parse::<Cell>().is_err());
        assert_eq!(Cell::all().len(), 36);
    }

    #[test]
    fn a_square_tells_what_most_runs_became_and_the_worse_of_as_many() {
        use Outcome::{Direct, RelayedUdp};
        let most = square("port:port", &[Direct, RelayedUdp, Direct]);
        assert_eq!((most.became, most.agreed), (Direct, 2));
        let half = square("port:port", &[Direct, RelayedUdp]);
        assert_eq!((half.became, half.agreed), (RelayedUdp, 1));
    }

    #[test]
    fn set_up_is_the_median_of_what_came_to_sound() {
        let runs = [Some(900), None, Some(100), Some(300)].map(|ms| run(Outcome::Direct, ms));
        assert_eq!(Square::new("open:open".parse().unwrap(), runs.to_vec()).median_setup_ms, Some(300));
    }

    #[test]
    fn one_failed_run_fails_the_grid() {
        let grid = Grid::judge(vec![square("port:symmetric", &[Outcome::RelayedUdp, Outcome::Failed])]);
        assert_eq!(grid.faults, ["port:symmetric failed: no sound"]);
    }

    #[test]
    fn a_run_in_a_hundred_may_be_relayed_where_all_can_be_direct() {
        let mut outcomes = [Outcome::Direct; 100];
        outcomes[7] = Outcome::RelayedUdp;
        assert!(Grid::judge(vec![square("port:port", &outcomes)]).faults.is_empty());
        outcomes[8] = Outcome::RelayedUdp;
        assert_eq!(Grid::judge(vec![square("port:port", &outcomes)]).faults.len(), 1);
    }

    #[test]
    fn a_port_that_must_be_guessed_may_stay_unknown_and_may_be_found() {
        for outcome in [Outcome::Direct, Outcome::RelayedUdp] {
            assert!(Grid::judge(vec![square("port:symmetric", &[outcome])]).faults.is_empty());
        }
    }

    #[test]
    fn a_direct_way_where_there_is_none_is_the_labs_fault() {
        let grid = Grid::judge(vec![square("open:udpblocked", &[Outcome::Direct])]);
        assert!(grid.faults[0].contains("leaks"), "{:?}", grid.faults);
    }
}
