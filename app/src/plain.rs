//! Text that somebody wrote and others read: one line of which every part is seen.

/// Whether nothing in it ends a line, steers a terminal, or turns the direction of writing (Unicode TR 9).
pub(crate) fn is_plain(text: &str) -> bool {
    let steers = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !text.chars().any(steers)
}
