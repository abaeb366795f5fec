//! The desktop window: draws the engine's snapshot and sends commands back.

use crate::engine::EngineHandle;

/// Why the window could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// No display, or no OpenGL on it.
    #[error("the window could not be opened: {0}")]
    Window(String),
}

/// Shows the window and returns when the person closes it. Must run on the main thread.
pub fn run(engine: EngineHandle) -> Result<(), UiError> {
    drop(engine);
    Err(UiError::Window("this build has no window yet".into()))
}
