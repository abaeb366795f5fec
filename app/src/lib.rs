//! Silbo, the application: calls between people, without a server of anyone's.
//!
//! The two types that matter are [`engine::EngineHandle`], through which the window and the command line speak to
//! the engine, and [`call::Line`], the sans-I/O state machine of a call.
//!
//! Data flows in one ring: a [`Command`](engine::command::Command) goes in, the engine asks `overlay` (who is
//! where) and `media` (the sound), and every change comes out twice: as a [`View`](engine::view::View) for the
//! window and as an event for the command line. Everything the window can do, the command line can do.
//!
//! This crate refuses to know how a packet looks: that is the business of `overlay`, `media` and `relay`.

pub mod call;
pub mod cli;
#[cfg(feature = "ui")]
pub mod desktop;
pub mod engine;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod note;
mod plain;
pub mod portmap;
pub mod reason;
pub mod roster;
pub mod storage;
#[cfg(feature = "ui")]
pub mod ui;
