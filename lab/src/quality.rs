//! How good a recording sounds: segment-wise PESQ-WB against what was sent, by `lab/score.py`.

use crate::process::{Place, run};
use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// The bar of every call in the lab: PESQ-WB, mean over the segments.
pub const BAR: f64 = 3.5;

/// The scores of one recording.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Quality {
    /// Mean PESQ-WB of the segments, 1.0 to 4.64.
    pub mean: f64,
    /// The worst segment.
    pub min: f64,
    /// Each aligned window.
    pub segments: Vec<Segment>,
    /// How much later than in the reference each second of it was found in the recording, twice a second.
    pub lags_ms: Vec<f64>,
}

/// One window of the reference, found again in the recording.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Segment {
    /// Where the window starts in the reference, in seconds.
    pub start: f64,
    /// How much later than in the reference it was found in the recording.
    pub lag_ms: f64,
    /// PESQ-WB of the window.
    pub pesq_wb: f64,
}

/// Scores `recording` against `reference` in windows of five seconds.
pub fn score(reference: &Path, recording: &Path) -> Result<Quality> {
    score_after(Duration::ZERO, reference, recording)
}

/// The same, where the reference was played so long after the recording began.
pub fn score_after(before: Duration, reference: &Path, recording: &Path) -> Result<Quality> {
    let python = crate::target()?.join("venv/bin/python");
    ensure!(python.is_file(), "{} is missing: run `.ci/venv.sh` (or `make test`)", python.display());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("score.py");
    let mut command = Place::Here.command(python);
    command.arg(script).arg(reference).arg(recording).arg(before.as_secs_f64().to_string());
    let json = run(&mut command)?;
    serde_json::from_str(&json).with_context(|| format!("score.py said {json:?}"))
}
