//! A QR code, painted from its modules: sharp at every size.

use super::super::theme::size;
use egui::{Color32, Rect, Role, Sense, Ui, Vec2, WidgetInfo};
use fast_qr::{ECL, QRBuilder, QRCode};

/// The light margin around a code, in modules (ISO/IEC 18004 §6.3.8).
const QUIET: usize = 4;

/// A screen is neither torn nor soiled: what would mend that goes into larger modules instead.
const CORRECTION: ECL = ECL::L;

/// A code and what it says, kept from frame to frame.
pub(in crate::ui) struct Qr {
    text: String,
    code: QRCode,
}

impl std::fmt::Debug for Qr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Qr").field("text", &self.text).finish_non_exhaustive()
    }
}

/// Shows `text` as a code, black on white in either theme, since many scanners read nothing else; `kept` holds the one of
/// the last frame. False, and nothing is shown, when the text is too long for one.
pub(in crate::ui) fn qr_code(ui: &mut Ui, kept: &mut Option<Box<Qr>>, text: &str, name: &str) -> bool {
    if kept.as_ref().is_none_or(|qr| qr.text != text) {
        let code = QRBuilder::new(text).ecl(CORRECTION).build().ok();
        *kept = code.map(|code| Box::new(Qr { text: text.to_owned(), code }));
    }
    let Some(qr) = kept else { return false };
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(size::QR), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let painter = ui.painter();
    painter.rect_filled(rect, size::CORNER, Color32::WHITE);
    let side = qr.code.size + 2 * QUIET;
    let edge = |index: usize| (index + QUIET) as f32 * size::QR / side as f32;
    for row in 0..qr.code.size {
        let modules = &qr.code[row];
        let mut column = 0;
        while column < qr.code.size {
            // Whole runs, so that no seams show between modules.
            let run = modules[column..qr.code.size].iter().take_while(|module| module.value()).count();
            if run > 0 {
                let from = rect.min + Vec2::new(edge(column), edge(row));
                let to = rect.min + Vec2::new(edge(column + run), edge(row + 1));
                painter.rect_filled(Rect::from_min_max(from, to), 0.0, Color32::BLACK);
            }
            column += run.max(1);
        }
    }
    true
}
