//! Opens the real window and gives it the real clock.

use super::{Front, Hiding, Locale, text};
use crate::desktop::{AutostartEntry, Badge, Bus, Desktop, KeySource, icon};
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
            let desktop = Desktop::start(Bus::Session, config.autostart, keys(), wake);
            let clock = Rc::new(Instant::now);
            let mut front = Front::new(&cc.egui_ctx, gate, config.profile, config.system, clock);
            front.set_desktop(desktop, hiding());
            Ok(Box::new(front))
        }),
    )
    .map_err(|error| UiError::Window(error.to_string()))
}

/// Which window system is used is decided by the same variables.
fn hiding() -> Hiding {
    let named = |variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    if named("WAYLAND_DISPLAY") || named("WAYLAND_SOCKET") { Hiding::Impossible } else { Hiding::Possible }
}

/// A guest of Wayland hears only what is pressed in its own windows.
fn keys() -> KeySource {
    let x11 = cfg!(all(unix, not(target_os = "macos"))) && hiding() == Hiding::Possible;
    if x11 { KeySource::X11(None) } else { KeySource::None }
}

/// What the desktop knows the window by.
const APP_ID: &str = "silbo";

/// The icon of the window, where the desktop has none of its own.
fn icon() -> IconData {
    IconData { rgba: icon::rgba(Badge::None), width: icon::SIDE as u32, height: icon::SIDE as u32 }
}
