//! STUN and TURN for Silbo: wire codec, clients and the relay server.
