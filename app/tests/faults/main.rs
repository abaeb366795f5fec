//! What a person is told when something fails: faults that are really made to happen, to real processes, and for each the
//! sentence and the next step, to the letter, on the command line and in the window (`told`), in English, and that Spanish
//! has words of its own for it (`window`). Where the fault can go away again, what failed is done once more, and works.
//!
//! | fault | how it is made | what happened (the next step stands in the test) |
//! |---|---|---|
//! | no microphone | neither a sound server nor a card | This computer has no microphone, or its sound system is not running. |
//! | no loudspeaker | the same | This computer has no loudspeaker, or its sound system is not running. |
//! | no cookie for the sound server | a home that cannot be written; one that can: nothing | The sound system lets in only who has the file .. |
//! | microphone unplugged in mid-call | the sound server takes it away | The microphone stopped working: the sound system stopped it. |
//! | chosen microphone not there | it is asked for by name | There is no microphone "headset.monitor". |
//! | sound server dead in mid-call | killed | as above, and the same of the loudspeaker |
//! | a sound server that is down where it was | killed before the call | The microphone does not start: .. |
//! | no camera | there is none; none of this name; something else | The camera cannot be used: no camera was found on this computer. |
//! | camera denied | a file that nobody may read | The camera cannot be used: the system does not let this program use the camera .. |
//! | camera busy | strace has the kernel say so | The camera cannot be used: the camera .. is used by another program. |
//! | name taken | somebody has it | Somebody else holds the name "paul". |
//! | name looks like a taken one | `pau1` | Somebody else holds the name "paul", which looks like "pau1". |
//! | name unknown | nobody has it | Nobody has claimed the name "bob". |
//! | key changed | another network, where another was first | "bob" now belongs to another key (..) than your contact (..). |
//! | invite cut short | three characters less | This invite is not complete, or a character of it is wrong. |
//! | invite changed | one bit of its signature | This invite was changed by somebody who did not make it. |
//! | no network | nobody at the address; another kind of network; no address | No supernode can be reached. |
//! | nobody can call | the doctor, without a network | Nobody can call you: no supernode can ring this computer. |
//! | UDP blocked | a helper of whom only the TCP port is known | Your network blocks UDP: calls go through a relay over TCP, and the sound may stutter. |
//! | helper killed while it rings | killed | nothing: the call is answered and heard |
//! | helper killed in a direct call | killed | nothing: the call goes on, and the hang-up arrives |
//! | only relay of a call killed | killed | The connection was lost. |
//! | port in use | a socket of the test has it | The port of .. is taken by another program. |
//! | port forbidden | 443, without the right to it | The system does not let this program listen on ..: ports below 1024 need a right. |
//! | address of another computer | one for documentation | No network interface of this computer has the address of .. |
//! | callee not there | they are not | They are not online. |
//! | callee declines | they do | The call was declined. |
//! | callee does not pick up | they do not | It rang, but nobody answered. |
//! | callee busy | they talk to somebody else | They are in another call. |
//! | caller busy | they call in a call | A call is already going on. |
//! | callee has blocked the caller | they have | Nothing came back from the other side. |
//! | caller has blocked the callee | they have | You have blocked ada. |
//! | the other program dies in mid-call | killed | The connection was lost. |
//! | profile in use | by another process | The profile .. is in use by another Silbo. |
//! | profile is no folder | it is a file | The profile .. cannot be used: it is a file, not a folder. |
//! | disk full | two megabytes, filled; a profile that is there, and a new one | The disk is full, so that nothing new can be kept. |
//! | database damaged | overwritten | The profile's database is damaged; it was set aside as .., nothing was deleted. |
//! | settings damaged | every row overwritten | nothing: they count as never chosen |
//! | key damaged | overwritten | .. cannot be read: it is not what it should be, or damaged. |
//! | passphrase missing | none is given | The profile .. is locked with a passphrase. |
//! | passphrase wrong | another one | .. does not open with this passphrase, or was altered. |
//! | recovery words wrong | too few; misspelt; in another order | The recovery words do not serve: .. |
//! | backup damaged | cut; one bit | .. cannot be read: it is not what it should be, or damaged. |
//!
//! A few are met at a window that is drawn on a running engine (`live`): a name that is taken, unknown, not there, a cut invite, a
//! missing microphone, a wrong passphrase, no network, no UDP.
//!
//! What takes whole networks is in `lab`: no cable, no way between two homes, a program that stands still and a cable cut in
//! mid-call in `dead_ends`, routers that drop UDP in `blocked`.
//!
//! Nothing here asserts a timing; every wait is bounded.
#![cfg(test)]
#![cfg(all(feature = "ui", target_os = "linux"))]

mod calls;
mod devices;
#[path = "../harness/mod.rs"]
mod harness;
mod live;
mod names;
mod network;
mod pulse;
mod rights;
mod storage;
mod told;
mod window;
