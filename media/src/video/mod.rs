//! Pictures for Silbo: from a source to packets, and from packets to what is shown. Told the time; opens no device.

pub mod frame;
pub mod pattern;
pub mod vpx;
pub mod y4m;
