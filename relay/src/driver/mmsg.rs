//! Many datagrams per system call: recvmmsg and sendmmsg of Linux. The only unsafe code of this crate.
//!
//! Every call builds its message headers anew from borrowed memory, so that no pointer outlives the borrow it came from.
#![expect(
    unsafe_code,
    reason = "the system calls take arrays of pointers, and no safe wrapper takes them without allocating"
)]

use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd as _;
use std::ptr;

use mio::net::UdpSocket;

use super::batch::{self, LONGEST, Outgoing, Received, SLOTS, Slots};
use crate::wire::AddressFamily;

/// Errors passed over in a row.
const MOST_ERRORS: usize = 16;

/// The arrays the kernel reads and writes; allocated once.
pub(super) struct Calls {
    headers: Vec<libc::mmsghdr>,
    pieces: Vec<libc::iovec>,
    names: Vec<libc::sockaddr_in6>,
    family: AddressFamily,
}

impl Calls {
    pub(super) fn new(family: AddressFamily) -> Self {
        // SAFETY: all three are plain C structs of integers and pointers, for which all-zero bytes are a valid value.
        unsafe {
            Self {
                headers: vec![mem::zeroed(); SLOTS],
                pieces: vec![mem::zeroed(); SLOTS],
                names: vec![mem::zeroed(); SLOTS],
                family,
            }
        }
    }

    /// Receives into as many slots as `received` has entries; gives how many datagrams there were.
    pub(super) fn receive(
        &mut self,
        socket: &UdpSocket,
        mut slots: Slots<'_>,
        received: &mut [Received],
    ) -> usize {
        let most = received.len().min(SLOTS);
        for index in 0..most {
            let buffer = slots.buffer(index);
            self.pieces[index] = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
            self.point(index, size_of::<libc::sockaddr_in6>());
        }
        let mut count = 0;
        for _ in 0..MOST_ERRORS {
            // SAFETY: the first `most` headers point to `most` names and pieces, and those to `most` disjoint buffers;
            // all of them are borrowed mutably until the call returns. No timeout is passed.
            let taken = unsafe {
                libc::recvmmsg(
                    socket.as_raw_fd(),
                    self.headers.as_mut_ptr(),
                    most as libc::c_uint,
                    libc::MSG_DONTWAIT,
                    ptr::null_mut(),
                )
            };
            match usize::try_from(taken) {
                Ok(taken) => {
                    count = taken;
                    break;
                }
                Err(_) if would_block() => return 0,
                // An ICMP message about something sent earlier, or a signal: not news.
                Err(_) => {}
            }
        }
        for (index, slot) in received.iter_mut().enumerate().take(count) {
            let header = &self.headers[index];
            let was_cut = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            let length = if was_cut { LONGEST + 1 } else { header.msg_len as usize };
            *slot = Received { from: batch::unmapped(read_name(&self.names[index])), length };
        }
        count
    }

    /// Sends everything it can; a datagram the system refuses is passed over.
    pub(super) fn send(&mut self, socket: &UdpSocket, memory: &[u8], outgoing: &[Outgoing]) {
        let count = outgoing.len().min(SLOTS);
        for (index, Outgoing { bytes, to }) in outgoing.iter().enumerate().take(count) {
            let bytes = &memory[bytes.clone()];
            // The kernel only reads what it sends; the type of iovec knows no const.
            self.pieces[index] =
                libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
            let length = write_name(&mut self.names[index], batch::as_seen_by_system(*to, self.family));
            self.point(index, length);
        }
        let mut sent = 0;
        while sent < count {
            // SAFETY: headers `sent..count` point to names and pieces that live in `self`, and those to bytes of
            // `memory`, which is borrowed until the call returns and which the call does not write.
            let taken = unsafe {
                libc::sendmmsg(
                    socket.as_raw_fd(),
                    self.headers.as_mut_ptr().add(sent),
                    (count - sent) as libc::c_uint,
                    libc::MSG_DONTWAIT,
                )
            };
            match usize::try_from(taken) {
                Ok(taken) => sent += taken.max(1),
                // The send buffer is full: the rest is lost, as in any full queue.
                Err(_) if would_block() => return,
                Err(_) => sent += 1,
            }
        }
    }

    /// Makes a header point to its piece and its name.
    fn point(&mut self, index: usize, name_length: usize) {
        let name = ptr::from_mut(&mut self.names[index]);
        let piece = ptr::from_mut(&mut self.pieces[index]);
        let header = &mut self.headers[index].msg_hdr;
        header.msg_name = name.cast();
        header.msg_namelen = name_length as libc::socklen_t;
        header.msg_iov = piece;
        header.msg_iovlen = 1;
        header.msg_control = ptr::null_mut();
        header.msg_controllen = 0;
        header.msg_flags = 0;
    }
}

fn would_block() -> bool {
    std::io::Error::last_os_error().kind() == std::io::ErrorKind::WouldBlock
}

/// The kernel writes a sockaddr_in or a sockaddr_in6 into room for the larger of the two.
fn read_name(name: &libc::sockaddr_in6) -> SocketAddr {
    if i32::from(name.sin6_family) == libc::AF_INET {
        // SAFETY: sockaddr_in is smaller than sockaddr_in6, needs no stricter alignment and is valid for any bytes.
        let name = unsafe { &*ptr::from_ref(name).cast::<libc::sockaddr_in>() };
        let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
        SocketAddrV4::new(ip, u16::from_be(name.sin_port)).into()
    } else {
        let ip = Ipv6Addr::from(name.sin6_addr.s6_addr);
        SocketAddrV6::new(ip, u16::from_be(name.sin6_port), 0, name.sin6_scope_id).into()
    }
}

fn write_name(name: &mut libc::sockaddr_in6, to: SocketAddr) -> usize {
    match to {
        SocketAddr::V4(to) => {
            // SAFETY: as in `read_name`; the whole struct is overwritten.
            let name = unsafe { &mut *ptr::from_mut(name).cast::<libc::sockaddr_in>() };
            *name = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: to.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from(*to.ip()).to_be() },
                sin_zero: [0; 8],
            };
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(to) => {
            *name = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: to.port().to_be(),
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr { s6_addr: to.ip().octets() },
                sin6_scope_id: to.scope_id(),
            };
            size_of::<libc::sockaddr_in6>()
        }
    }
}
