//! STUN and TURN clients as state machines: they are given datagrams and time, they give back datagrams and events.

mod binding;
mod retransmit;
mod turn;

pub use binding::{BindingClient, BindingEvent, BindingFailure, Handled};
pub use turn::{CertificateHash, SendRefused, Transport, TurnClient, TurnConfig, TurnEvent, TurnFailure};
