//! The local engine: shard logs on the disks of this machine.

mod group;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use group::Ticket;
