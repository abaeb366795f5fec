//! Whether a fault was told as it should be.

use crate::window;
use app::reason::Reason;
use serde_json::Value;

/// What happened, and what to do next.
pub(crate) type Said<'a> = [&'a str; 2];

/// This event is about this reason, and a person reads of it, to the letter: `line` on the command line, `window` in the
/// window. Both are said of the one reason that the engine has for it.
#[track_caller]
pub(crate) fn told(event: &Value, reason: &Reason, line: Said<'_>, window: Said<'_>) {
    assert_eq!(event["code"], reason.code(), "{event:#}");
    assert_eq!([&event["message"], &event["next_step"]], line, "{event:#}");
    let sentence = reason.sentence();
    assert_eq!(
        [sentence.message.as_str(), sentence.next_step.as_str()],
        line,
        "the event is about another reason"
    );
    window::says(reason, window[0], window[1]);
}

/// The same, where both faces use the same words.
#[track_caller]
pub(crate) fn told_alike(event: &Value, reason: &Reason, said: Said<'_>) {
    told(event, reason, said, said);
}
