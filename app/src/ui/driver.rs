//! Opens the real window and gives it the real clock.

use super::{Front, Locale, text};
use crate::desktop::{AutostartEntry, Bus, Desktop};
use crate::engine::gate::GateHandle;
use egui::{IconData, ViewportBuilder, vec2};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// Why the window could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// No display, or no OpenGL on it.
    #[error(
        "The window could not be opened: {0}. Check that a desktop is running (DISPLAY or WAYLAND_DISPLAY), or use \
         the commands without a window, see `silbo --help`."
    )]
    Window(String),
}

/// How the window opens.
#[derive(Debug, Clone, Default)]
pub struct WindowConfig {
    /// The profile, for the title until a username is chosen; tells windows apart.
    pub profile: Option<String>,
    /// Dark, light, or as the desktop says.
    pub theme: egui::ThemePreference,
    /// What the window speaks until the person chooses.
    pub system: Locale,
    /// What would start at login; none where that cannot be told.
    pub autostart: Option<AutostartEntry>,
}

/// Shows the window and returns when the person closes it. Must run on the main thread.
pub fn run(gate: GateHandle, config: WindowConfig) -> Result<(), UiError> {
    let title = {
        let view = gate.view.borrow();
        text::speak(Locale::chosen(view.language, config.system));
        text::window_title(view.name.as_deref(), config.profile.as_deref(), None)
    };
    let viewport = ViewportBuilder::default()
        .with_title(title)
        .with_app_id(APP_ID)
        .with_inner_size(vec2(1000.0, 640.0))
        .with_min_inner_size(vec2(720.0, 480.0))
        .with_icon(icon());
    let options = eframe::NativeOptions {
        viewport,
        // Builds for tests have both.
        renderer: eframe::Renderer::Glow,
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        APP_ID,
        options,
        Box::new(move |cc| {
            cc.egui_ctx.set_theme(config.theme);
            let ctx = cc.egui_ctx.clone();
            let wake = Arc::new(move || ctx.request_repaint());
            let desktop = Desktop::start(Bus::Session, config.autostart, wake);
            let clock = Rc::new(Instant::now);
            let mut front = Front::new(&cc.egui_ctx, gate, config.profile, config.system, clock);
            front.set_desktop(desktop);
            Ok(Box::new(front))
        }),
    )
    .map_err(|error| UiError::Window(error.to_string()))
}

/// What the desktop knows the window by.
const APP_ID: &str = "silbo";

/// Side of the icon in pixels.
const ICON: usize = 64;

/// The icon: three sound waves, as in Echo's picture, on a round ground of the accent.
fn icon() -> IconData {
    let [r, g, b, _] = super::theme::DARK.accent_fill.to_array();
    let mut rgba = Vec::with_capacity(ICON * ICON * 4);
    let middle = ICON as f32 / 2.0 - 0.5;
    for y in 0..ICON {
        for x in 0..ICON {
            let (dx, dy) = (x as f32 - middle, y as f32 - middle);
            let inside = (middle - dx.hypot(dy) + 0.5).clamp(0.0, 1.0);
            let wave = WAVES.iter().any(|(at, half)| (dx - at).abs() <= 2.5 && dy.abs() <= *half);
            let ink = if wave { [255; 3] } else { [r, g, b] };
            rgba.extend(ink);
            rgba.push((inside * 255.0) as u8);
        }
    }
    IconData { rgba, width: ICON as u32, height: ICON as u32 }
}

/// The bars of the icon: their middles, and half their heights.
const WAVES: [(f32, f32); 5] = [(-18.0, 4.0), (-9.0, 10.0), (0.0, 18.0), (9.0, 10.0), (18.0, 4.0)];
