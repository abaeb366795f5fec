//! The icon: three sound waves, as in Echo's picture, on a round ground of the accent; in the tray with a badge that tells
//! by its shape what others hear and see of us, and whether somebody waits.

/// What the badge tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Badge {
    /// No call: there is no badge.
    #[default]
    None,
    /// A call in which nobody hears us yet: a ring.
    Calling,
    /// The microphone is live: a disc.
    Live,
    /// It is muted: a bar.
    Muted,
    /// Camera or screen are live: a square.
    Seen,
    /// No call, but somebody waits for an answer: a diamond.
    Waiting,
}

/// Side of the icon in pixels.
pub const SIDE: usize = 64;

/// The accent, as the window has it.
const GROUND: [u8; 3] = [0x12, 0x7A, 0x69];
const INK: [u8; 3] = [0xFF; 3];
const RED: [u8; 3] = [0xD9, 0x3A, 0x34];
const AMBER: [u8; 3] = [0xC7, 0x7A, 0x0A];

/// The bars of the icon: their middles, and half their heights.
const WAVES: [(f32, f32); 5] = [(-18.0, 4.0), (-9.0, 10.0), (0.0, 18.0), (9.0, 10.0), (18.0, 4.0)];

/// The middle of the badge, and half its width.
const BADGE: (f32, f32) = (16.0, 14.0);

/// The pixels: [`SIDE`] rows of as many, each red, green, blue and opacity.
pub fn rgba(badge: Badge) -> Vec<u8> {
    let mut rgba = Vec::with_capacity(SIDE * SIDE * 4);
    let middle = SIDE as f32 / 2.0 - 0.5;
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (dx, dy) = (x as f32 - middle, y as f32 - middle);
            match badge_at(badge, dx - BADGE.0, dy - BADGE.0) {
                Some(ink) => rgba.extend([ink[0], ink[1], ink[2], 0xFF]),
                None => {
                    let inside = (middle - dx.hypot(dy) + 0.5).clamp(0.0, 1.0);
                    let wave = WAVES.iter().any(|(at, half)| (dx - at).abs() <= 2.5 && dy.abs() <= *half);
                    rgba.extend(if wave { INK } else { GROUND });
                    rgba.push((inside * 255.0) as u8);
                }
            }
        }
    }
    rgba
}

/// The colour of the badge so far from its middle, if it is there.
fn badge_at(badge: Badge, dx: f32, dy: f32) -> Option<[u8; 3]> {
    let half = BADGE.1;
    let (round, square) = (dx.hypot(dy), dx.abs().max(dy.abs()));
    let (reach, ink) = match badge {
        Badge::None => return None,
        Badge::Calling => (round, if round < half * 0.45 { INK } else { RED }),
        Badge::Live => (round, RED),
        Badge::Muted => (dx.abs().max(dy.abs() * 2.5), RED),
        Badge::Seen => (square, RED),
        Badge::Waiting => ((dx.abs() + dy.abs()) * 0.8, AMBER),
    };
    // A rim keeps it apart from the waves.
    (reach <= half).then_some(if reach > half - 2.0 { INK } else { ink })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_badge_looks_otherwise() {
        let all =
            [Badge::None, Badge::Calling, Badge::Live, Badge::Muted, Badge::Seen, Badge::Waiting].map(rgba);
        for (at, one) in all.iter().enumerate() {
            assert_eq!(one.len(), SIDE * SIDE * 4);
            assert!(all[at + 1..].iter().all(|other| other != one));
        }
    }
}
