//! The corner in which our own picture lies over a call.

use super::theme::size;
use egui::{Pos2, Rect, Vec2, pos2};

/// One of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Corner {
    /// Upper left, where there is nothing to press and no notice.
    #[default]
    UpperLeft,
    UpperRight,
    LowerRight,
    LowerLeft,
}

impl Corner {
    /// Where something of this size lies in `room`.
    pub(super) fn place(self, room: Rect, extent: Vec2) -> Rect {
        let room = room.shrink(size::GAP_LARGE);
        let (right, bottom) = (room.right() - extent.x, room.bottom() - extent.y);
        let corner = match self {
            Self::UpperLeft => room.left_top(),
            Self::UpperRight => pos2(right, room.top()),
            Self::LowerRight => pos2(right, bottom),
            Self::LowerLeft => pos2(room.left(), bottom),
        };
        // In a room that is too small, what is at the top of it comes first.
        Rect::from_min_size(corner.max(room.left_top()), extent)
    }

    /// The one in whose quarter of `room` this point is.
    pub(super) fn nearest(room: Rect, point: Pos2) -> Self {
        match (point.x > room.center().x, point.y > room.center().y) {
            (false, false) => Self::UpperLeft,
            (true, false) => Self::UpperRight,
            (true, true) => Self::LowerRight,
            (false, true) => Self::LowerLeft,
        }
    }

    /// The next one, clockwise.
    pub(super) const fn next(self) -> Self {
        match self {
            Self::UpperLeft => Self::UpperRight,
            Self::UpperRight => Self::LowerRight,
            Self::LowerRight => Self::LowerLeft,
            Self::LowerLeft => Self::UpperLeft,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;

    const ALL: [Corner; 4] = [Corner::UpperLeft, Corner::UpperRight, Corner::LowerRight, Corner::LowerLeft];

    #[test]
    fn what_lies_in_a_corner_is_nearest_to_it_and_within_the_room() {
        let room = Rect::from_min_size(pos2(10.0, 20.0), vec2(700.0, 300.0));
        for corner in ALL {
            let place = corner.place(room, vec2(200.0, 112.0));
            assert!(room.contains_rect(place), "{corner:?}: {place}");
            assert_eq!(Corner::nearest(room, place.center()), corner);
        }
    }

    #[test]
    fn a_room_that_is_too_small_is_left_at_its_lower_edge_only() {
        let room = Rect::from_min_size(pos2(0.0, 50.0), vec2(700.0, 60.0));
        for corner in ALL {
            assert!(corner.place(room, vec2(200.0, 112.0)).top() >= room.top(), "{corner:?}");
        }
    }

    #[test]
    fn four_steps_lead_around() {
        let around = ALL.map(Corner::next);
        assert_eq!(around, [ALL[1], ALL[2], ALL[3], ALL[0]]);
    }
}
