//! What is said of a call.

pub(in crate::ui) use super::messages::call::*;

use super::tenths;
use crate::engine::view::{CallPhase, PathView, Quality};

pub(in crate::ui) fn phase(phase: &CallPhase) -> &'static str {
    match phase {
        CallPhase::Calling => calling(),
        CallPhase::Ringing => ringing(),
        CallPhase::Incoming => incoming(),
        CallPhase::Connecting => connecting(),
        CallPhase::Active { .. } => active(),
        CallPhase::Ended { .. } => ended(),
    }
}

/// What is being done meanwhile.
pub(in crate::ui) fn phase_detail(phase: &CallPhase) -> &'static str {
    match phase {
        CallPhase::Calling => calling_detail(),
        CallPhase::Ringing => ringing_detail(),
        CallPhase::Connecting => connecting_detail(),
        CallPhase::Incoming | CallPhase::Active { .. } | CallPhase::Ended { .. } => "",
    }
}

pub(in crate::ui) fn path(path: &PathView) -> &'static str {
    match path {
        PathView::Local => local(),
        PathView::Direct => direct(),
        PathView::Relayed => relayed(),
    }
}

pub(in crate::ui) fn path_tip(path: &PathView) -> &'static str {
    match path {
        PathView::Local => local_tip(),
        PathView::Direct => direct_tip(),
        PathView::Relayed => relayed_tip(),
    }
}

/// The words of one bar to four.
pub(in crate::ui) fn qualities() -> [&'static str; 4] {
    [bad(), fair(), good(), excellent()]
}

pub(in crate::ui) fn quality(bars: u8) -> &'static str {
    qualities()[usize::from(bars.clamp(1, 4)) - 1]
}

pub(in crate::ui) fn quality_tip(quality: &Quality) -> String {
    let percent = tenths(f64::from(quality.lost.clamp(0.0, 1.0)) * 100.0);
    let milliseconds = u64::try_from(quality.mouth_to_ear.as_millis()).unwrap_or(u64::MAX);
    lost_and_delay(milliseconds, percent)
}
