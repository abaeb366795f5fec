//! Pictures for Silbo: from a source to packets, and from packets to what is shown. Told the time; opens no device.

#[cfg(test)]
mod fixture;
pub mod frame;
pub mod freeze;
pub mod pattern;
pub mod rtp;
pub mod vpx;
pub mod y4m;
