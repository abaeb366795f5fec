//! The figures of a call.

pub(in crate::ui) use super::messages::receipt::*;

use super::{call, tenths};
use crate::call::receipt::PathTaken;
use std::time::Duration;

pub(in crate::ui) fn path_taken(path: PathTaken) -> &'static str {
    match path {
        PathTaken::Local => call::local(),
        PathTaken::Direct => call::direct(),
        PathTaken::Relayed => call::relayed(),
        PathTaken::Mixed => mixed(),
    }
}

pub(in crate::ui) fn in_milliseconds(duration: Duration) -> String {
    milliseconds(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

pub(in crate::ui) fn in_seconds(duration: Duration) -> String {
    seconds(tenths(duration.as_secs_f64()))
}

pub(in crate::ui) fn in_percent(share: f64) -> String {
    percent(tenths(share.clamp(0.0, 1.0) * 100.0))
}

pub(in crate::ui) fn a_second(rate: f64) -> String {
    pictures_a_second(rate.round())
}
