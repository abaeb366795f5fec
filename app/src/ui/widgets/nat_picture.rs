//! What a router does with what goes out, in a picture: through how many doors.

use super::super::theme::{font, palette, size};
use egui::{Align2, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};
use egui_material_icons::{MaterialIcon, icons};
use overlay::NatKind;

/// What stands in the picture, from left to right.
pub(in crate::ui) struct NatWords<'a> {
    /// Below this computer.
    pub(in crate::ui) computer: &'a str,
    /// Below the router.
    pub(in crate::ui) router: &'a str,
    /// Below the others.
    pub(in crate::ui) internet: &'a str,
    /// What a screen reader says.
    pub(in crate::ui) label: &'a str,
}

/// Whom we talk to, one above the other.
const OTHERS: [f32; 3] = [-14.0, 0.0, 14.0];

const ICON: f32 = 30.0;

/// Between an icon and what begins beside it.
const CLEAR: f32 = 20.0;

/// This computer, a router or none, and the internet.
pub(in crate::ui) fn nat_picture(ui: &mut Ui, nat: NatKind, words: &NatWords<'_>) -> Response {
    let colors = palette(ui);
    let width = ui.available_width();
    let [below_computer, below_router, below_internet] = [words.computer, words.router, words.internet]
        .map(|word| ui.painter().layout(word.to_owned(), font::tiny(), colors.text_muted, width / 3.0));
    let highest = [&below_computer, &below_router, &below_internet].map(|word| word.size().y);
    let height = size::GAP + ICON + size::GAP + highest.into_iter().fold(0.0, f32::max);
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, words.label));
    let painter = ui.painter();
    let stand = |share: f32| pos2(rect.left() + width * share, rect.top() + size::GAP + ICON / 2.0);
    let [computer, router, internet] = [1.0 / 6.0, 0.5, 5.0 / 6.0].map(stand);
    let put = |at: Pos2, icon: MaterialIcon| {
        painter.text(at, Align2::CENTER_CENTER, icon.codepoint, font::icon(ICON), colors.text);
    };
    for (at, word) in [(computer, below_computer), (router, below_router), (internet, below_internet)] {
        let below = pos2(at.x - word.size().x / 2.0, at.y + ICON / 2.0 + size::GAP);
        painter.galley(below.round(), word, colors.text_muted);
    }
    put(computer, icons::ICON_COMPUTER);
    put(internet, icons::ICON_PUBLIC);
    let (ink, doubt) = (Stroke::new(1.5, colors.accent), Stroke::new(1.5, colors.text_muted));
    let others = OTHERS.map(|up| internet + vec2(-CLEAR, up));
    let begins = computer + vec2(CLEAR, 0.0);
    if nat == NatKind::Open {
        for other in others {
            painter.line_segment([begins, other], ink);
        }
        return response;
    }
    put(router, icons::ICON_ROUTER);
    let [inside, outside] = [-CLEAR, CLEAR].map(|aside| router + vec2(aside, 0.0));
    painter.line_segment([begins, inside], ink);
    match nat {
        NatKind::EndpointIndependent => {
            for other in others {
                painter.line_segment([outside, other], ink);
            }
            door(painter, outside, ink);
        }
        NatKind::AddressDependent => {
            for (up, other) in OTHERS.into_iter().zip(others) {
                let outside = outside + vec2(0.0, up);
                painter.line_segment([outside, other], ink);
                door(painter, outside, ink);
            }
        }
        NatKind::Unknown | NatKind::Open => {
            painter.extend(Shape::dashed_line(&[outside, others[1]], doubt, 4.0, 4.0));
        }
    }
    response
}

/// A port of the router.
fn door(painter: &egui::Painter, at: Pos2, stroke: Stroke) {
    painter.rect_filled(Rect::from_center_size(at, vec2(5.0, 9.0)), 1.0, stroke.color);
}
