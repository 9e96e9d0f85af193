//! Room for every connection and segment, or less of both where the system allows fewer files.

use crate::config::options::Options;

/// Journal, catalog, keys, listener, pipes, the runtime's own, and connections that are closing.
const OTHER_FILES: usize = 144;
/// What an event loop of the server has open.
const FILES_OF_LOOP: usize = 4;
/// A segment is open twice while it grows: for reading, and for whole blocks.
const FILES_OF_SEGMENT: usize = 2;
/// Of the room, segments get at most one part in so many when it is short.
const SEGMENTS_PART: usize = 4;

/// Raises the process's limit to what `options` may need, or lowers them to what there is.
pub(super) fn make_room(options: &mut Options, loops: usize) {
    let other = OTHER_FILES + FILES_OF_LOOP * loops;
    let connections = &mut options.server.limits.connections_max;
    let segments = &mut options.storage.open_segments_max;
    let wanted = connections.saturating_add(FILES_OF_SEGMENT * *segments + other);
    let Some(files_max) = server::raise_open_files(wanted) else { return };
    (*connections, *segments) = shares(files_max.saturating_sub(other), *connections, *segments);
    tracing::warn!(
        files_max,
        wanted,
        connections,
        segments,
        "few open files are allowed, so fewer connections are taken and fewer segments kept open"
    );
}

/// Connections and segments that fit into so many files.
fn shares(room: usize, connections: usize, segments: usize) -> (usize, usize) {
    let segments = segments.min(room / SEGMENTS_PART / FILES_OF_SEGMENT).max(FILES_OF_SEGMENT);
    let connections = connections.min(room.saturating_sub(FILES_OF_SEGMENT * segments)).max(1);
    (connections, segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_files_are_shared() {
        assert_eq!(shares(896, 8192, 1024), (672, 112));
        assert_eq!(shares(896, 100, 8), (100, 8));
        assert_eq!(shares(0, 8192, 1024), (1, 2));
        for room in 128..4096 {
            let (connections, segments) = shares(room, 8192, 1024);
            assert!(connections + FILES_OF_SEGMENT * segments <= room);
        }
    }
}
