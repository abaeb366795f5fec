//! How large the other end's picture is drawn, for the other end to know: what is not seen need not be sent.

use egui::Vec2;
use media::video::viewing::Viewing;
use std::time::{Duration, Instant};

/// The other end is told at most this often.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// A side counts as changed when it differs by more than one part in so many: fewer pixels make no other picture.
const NOTICEABLE: u32 = 10;

/// What was drawn, and what the other end knows of it.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// In this frame; none before it was drawn.
    drawn: Option<Viewing>,
    told: Option<(Viewing, Instant)>,
}

impl Gauge {
    /// In this frame the picture is drawn in so many pixels of the screen; where it is drawn twice, the larger counts.
    pub(super) fn draw(&mut self, pixels: Vec2) {
        let drawn = Viewing::of(pixels.x.round() as u32, pixels.y.round() as u32);
        if self.drawn.is_none_or(|before| before.height() < drawn.height()) {
            self.drawn = Some(drawn);
        }
    }

    /// Whatever is drawn, nobody sees it.
    pub(super) fn hide(&mut self) {
        self.drawn = Some(Viewing::Hidden);
    }

    /// What to tell the other end, if anything; a new frame begins.
    pub(super) fn next_frame(&mut self, now: Instant) -> Option<Viewing> {
        // Before the first frame nothing is known, which is not the same as nothing seen.
        let viewing = self.drawn.take().or(self.told.map(|_| Viewing::Hidden))?;
        if self.told.is_some_and(|(told, at)| now < at + TELL_EVERY || !differs(told, viewing)) {
            return None;
        }
        self.told = Some((viewing, now));
        Some(viewing)
    }
}

fn differs(told: Viewing, viewing: Viewing) -> bool {
    match (told, viewing) {
        (Viewing::At(told), Viewing::At(size)) => {
            let far = |told: u32, side: u32| told.abs_diff(side) > told / NOTICEABLE;
            far(told.width(), size.width()) || far(told.height(), size.height())
        }
        _ => told != viewing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;

    #[test]
    fn what_hardly_changed_is_not_told_again() {
        let (now, mut gauge) = (Instant::now(), Gauge::default());
        let mut told = |seconds, width, height| {
            gauge.draw(vec2(width, height));
            gauge.next_frame(now + Duration::from_secs(seconds))
        };
        assert_eq!(told(0, 640.0, 360.0), Some(Viewing::of(640, 360)));
        assert_eq!(told(1, 660.0, 371.0), None);
        assert_eq!(told(2, 800.0, 450.0), Some(Viewing::of(800, 450)));
    }

    #[test]
    fn a_window_on_the_move_tells_a_few_times_a_second_and_where_it_came_to_rest() {
        let (begin, mut gauge) = (Instant::now(), Gauge::default());
        let told: Vec<Viewing> = (0..60u32)
            .filter_map(|frame| {
                gauge.draw(vec2(640.0, 100.0 + 20.0 * frame.min(30) as f32));
                gauge.next_frame(begin + Duration::from_millis(33) * frame)
            })
            .collect();
        assert!((3..=6).contains(&told.len()), "{told:?}");
        assert_eq!(told.last(), Some(&Viewing::of(640, 700)));
    }

    #[test]
    fn what_is_drawn_no_longer_is_hidden_and_the_larger_of_two_counts() {
        let (now, mut gauge) = (Instant::now(), Gauge::default());
        assert_eq!(gauge.next_frame(now), None, "nothing is known yet");
        gauge.draw(vec2(320.0, 180.0));
        gauge.draw(vec2(640.0, 360.0));
        gauge.draw(vec2(320.0, 180.0));
        assert_eq!(gauge.next_frame(now), Some(Viewing::of(640, 360)));
        gauge.draw(vec2(640.0, 360.0));
        gauge.hide();
        assert_eq!(gauge.next_frame(now + TELL_EVERY), Some(Viewing::Hidden));
        assert_eq!(gauge.next_frame(now + 2 * TELL_EVERY), None);
    }
}
