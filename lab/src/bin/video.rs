//! `video [--runs N] [CASE...]`: what pictures do to a voice, to the processor and to a screen that is shared.
//!
//! ```text
//!   3m, 1m     a voice beside its own pictures on 3 and 1 Mbit/s, against the voice alone there    its delay
//!   download   the same on 3 Mbit/s beside a download, against it without one                      how it sounds
//!   first      50 ms there and back: from picking up until the first picture is seen, both ways    how soon
//!   effort     1280x720, 30 a second, both ways                                                    the processor
//!   page       pages of text on 1 Mbit/s                                                           how soon, how sharp
//! ```
//!
//! Real `silbo` processes in namespaces; medians of N runs (5). Prints a table on stderr and one JSON object on stdout.
//! Exit status: 0 every bar kept, 1 a bar missed, 77 this system allows no namespaces and nothing was run.

use anyhow::{Context as _, Result, bail, ensure};
use lab::beside::{Company, Heard, listen};
use lab::netns::{self, Segment};
use lab::pictures::Films;
use lab::{bulk, link, page, sight};
use serde::Serialize;
use serde_json::json;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "video: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words[..] {
        [word, rest @ ..] if word == link::WORD => {
            link::serve(rest)?;
            return Ok(ExitCode::SUCCESS);
        }
        [word, rest @ ..] if word == bulk::WORD => {
            bulk::serve(rest)?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let (runs, cases) = arguments(&words)?;
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    lab::speech::file()?;
    netns::within("nothing was measured.", || judge(runs, &cases))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    ThreeMbit,
    OneMbit,
    Download,
    First,
    Effort,
    Page,
}

const CASES: [(&str, Case); 6] = [
    ("3m", Case::ThreeMbit),
    ("1m", Case::OneMbit),
    ("download", Case::Download),
    ("first", Case::First),
    ("effort", Case::Effort),
    ("page", Case::Page),
];

const THREE_MBIT: &str = "kbit=3000,delay_ms=25,queue_ms=300";
const ONE_MBIT: &str = "kbit=1000,delay_ms=25,queue_ms=300";
/// Two of these are on the way from host to host.
const QUARTER_OF_50_MS: &str = "delay_ms=12.5";

fn arguments(words: &[String]) -> Result<(usize, Vec<Case>)> {
    let (mut runs, mut cases) = (5, Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--runs" {
            runs = words.next().context("--runs needs a number")?.parse().context("--runs needs a number")?;
            ensure!((1..=100).contains(&runs), "--runs: 1 to 100");
        } else if let Some((_, case)) = CASES.iter().find(|(name, _)| name == word) {
            cases.push(*case);
        } else {
            bail!("no case {word}: there are {}", CASES.map(|(name, _)| name).join(", "));
        }
    }
    Ok((runs, if cases.is_empty() { CASES.map(|(_, case)| case).into() } else { cases }))
}

/// A figure, against what is asked of it.
#[derive(Debug, Serialize)]
struct Bar {
    case: &'static str,
    what: String,
    value: f64,
    bar: f64,
    passed: bool,
}

fn most(case: &'static str, what: &str, value: f64, bar: f64) -> Bar {
    Bar { case, what: format!("{what}, at most"), value, bar, passed: value <= bar }
}

fn least(case: &'static str, what: &str, value: f64, bar: f64) -> Bar {
    Bar { case, what: format!("{what}, at least"), value, bar, passed: value >= bar }
}

fn judge(runs: usize, cases: &[Case]) -> Result<ExitCode> {
    let folder = lab::leavings("video")?;
    let films = Films::make(&folder)?;
    let mut stage = Played { runs, folder: &folder, films: &films, heard: Vec::new() };
    let mut segment = Segment::build(3)?;
    let mut bars = Vec::new();
    // Without a link first: a link stays where it was put.
    let order = [Case::Effort, Case::ThreeMbit, Case::OneMbit, Case::Download, Case::Page, Case::First];
    for case in order.into_iter().filter(|case| cases.contains(case)) {
        let new = match case {
            Case::Effort => stage.effort(&segment)?,
            Case::ThreeMbit => stage.voice(&mut segment, "3m", THREE_MBIT, 20.0)?,
            Case::OneMbit => stage.voice(&mut segment, "1m", ONE_MBIT, 50.0)?,
            Case::Download => stage.download(&mut segment)?,
            Case::Page => stage.page(&mut segment)?,
            Case::First => stage.first(&mut segment)?,
        };
        for bar in &new {
            let mark = if bar.passed { "ok" } else { "MISSED" };
            let Bar { case, what, value, bar, .. } = bar;
            writeln!(std::io::stderr(), "{mark:<7}{case:<10}{what:<66}{value:>9.3}  bar {bar}")?;
        }
        bars.extend(new);
    }
    let passed = bars.iter().all(|bar| bar.passed);
    let summary =
        json!({ "bench": "video", "runs": runs, "passed": passed, "bars": bars, "heard": stage.heard });
    writeln!(std::io::stdout(), "{summary}")?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Played<'a> {
    runs: usize,
    folder: &'a Path,
    films: &'a Films,
    /// All that was heard, for whoever asks why.
    heard: Vec<(String, Heard)>,
}

impl Played<'_> {
    fn voice(
        &mut self,
        segment: &mut Segment,
        case: &'static str,
        link: &str,
        allowed: f64,
    ) -> Result<Vec<Bar>> {
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..self.runs {
            alone.push(self.listen(segment, case, Company::None, link)?);
            beside.push(self.listen(segment, case, Company::Pictures, link)?);
        }
        let delay = |runs: &[Heard]| median(runs.iter().map(|heard| heard.delay_p95));
        let more = delay(&beside)? - delay(&alone)?;
        Ok(vec![most(case, "delay p95 beside pictures over alone (ms)", more, allowed)])
    }

    fn download(&mut self, segment: &mut Segment) -> Result<Vec<Bar>> {
        let case = "download";
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for _ in 0..self.runs {
            without.push(self.listen(segment, case, Company::Pictures, THREE_MBIT)?);
            with.push(self.listen(segment, case, Company::PicturesAndDownload, THREE_MBIT)?);
        }
        let of = |runs: &[Heard], figure: fn(&Heard) -> f64| median(runs.iter().map(figure));
        let lost = of(&without, |heard| heard.pesq)? - of(&with, |heard| heard.pesq)?;
        Ok(vec![
            most(case, "sound made up (%)", of(&with, |heard| heard.concealed)? * 100.0, 1.0),
            most(case, "PESQ-WB lost", lost, 0.2),
            least(case, "pictures (kbit/s)", of(&with, |heard| heard.video_kbps)?, 300.0),
        ])
    }

    fn listen(&mut self, segment: &mut Segment, case: &str, company: Company, link: &str) -> Result<Heard> {
        let nth = self.heard.len();
        let heard = listen(company, link, segment, self.films, &self.folder.join(format!("{case}-{nth}")))?;
        let name = format!("{case} {company:?}");
        writeln!(std::io::stderr(), "{name} {}", serde_json::to_string(&heard)?)?;
        self.heard.push((name, heard));
        Ok(heard)
    }

    fn effort(&self, segment: &Segment) -> Result<Vec<Bar>> {
        let case = "effort";
        let mut all = Vec::new();
        for nth in 0..self.runs {
            let [one, other] =
                sight::effort(segment, self.films, &self.folder.join(format!("effort-{nth}")))?;
            writeln!(std::io::stderr(), "effort {one:?} {other:?}")?;
            all.extend([one, other]);
        }
        Ok(vec![
            most(
                case,
                "processor of one end (% of a core)",
                median(all.iter().map(|end| end.processor))?,
                45.0,
            ),
            least(case, "height of what is seen", median(all.iter().map(|end| end.height))?, 720.0),
            least(case, "pictures seen a second", median(all.iter().map(|end| end.frame_rate))?, 29.0),
        ])
    }

    fn page(&self, segment: &mut Segment) -> Result<Vec<Bar>> {
        let case = "page";
        let (mut longest, mut alike) = (Vec::new(), Vec::new());
        for nth in 0..self.runs {
            let read = page::share(ONE_MBIT, segment, &self.folder.join(format!("page-{nth}")))?;
            writeln!(std::io::stderr(), "page {}", serde_json::to_string(&read)?)?;
            longest.push(read.after.iter().copied().fold(0.0, f64::max));
            alike.push(read.least_alike);
        }
        Ok(vec![
            most(case, "the longest until a page is seen (ms)", median(longest.into_iter())?, 300.0),
            least(case, "how alike a still page is (SSIM), the least", median(alike.into_iter())?, 0.97),
        ])
    }

    fn first(&self, segment: &mut Segment) -> Result<Vec<Bar>> {
        let times = sight::first_pictures(QUARTER_OF_50_MS, self.runs, segment, &self.folder.join("first"))?;
        writeln!(std::io::stderr(), "first {times:?}")?;
        ["who picks up sees (ms)", "who called sees (ms)"]
            .into_iter()
            .enumerate()
            .map(|(end, what)| Ok(most("first", what, median(times.iter().map(|time| time[end]))?, 500.0)))
            .collect()
    }
}

fn median(values: impl Iterator<Item = f64>) -> Result<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().context("nothing was measured")
}
