//! Buffers between frames and non-blocking sockets.

use std::io::{self, Read, Write};

use mio::net::TcpStream;

use crate::meter::DropReason;
use crate::secure::Transport;
use crate::wire::{MAX_GREETING_BYTES, split_frame};

/// What a buffer keeps of its room when what needed more is gone.
const KEPT_BYTES: usize = 256 << 10;

/// What one read gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Filled {
    /// So many bytes, as many as fit: there may be more.
    Full(usize),
    /// So many bytes, and no more for now. Polls report edges, so one that finds less than it asked for need not ask again.
    Drained(usize),
    /// The other side closed the connection, or it broke.
    Closed,
}

/// Reads once.
pub(crate) fn fill(stream: &mut TcpStream, scratch: &mut [u8]) -> Filled {
    loop {
        return match stream.read(scratch) {
            Ok(0) => Filled::Closed,
            Ok(count) if count == scratch.len() => Filled::Full(count),
            Ok(count) => Filled::Drained(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Filled::Drained(0),
            Err(_) => Filled::Closed,
        };
    }
}

/// Writes as much of `bytes` as the socket takes and gives how much that was; an error means that the connection broke.
pub(crate) fn drain(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}

/// Cuts a stream of bytes into frames. Holds at most one incomplete frame and what was fed last.
#[derive(Debug)]
pub(crate) struct FrameReader {
    partial: Vec<u8>,
    limit: usize,
}

impl FrameReader {
    /// At the beginning of a connection, where frames must be short.
    pub fn new() -> Self {
        FrameReader { partial: Vec::new(), limit: MAX_GREETING_BYTES }
    }

    /// At the beginning of a connection, where frames must be as short as this.
    pub fn with_limit(limit: usize) -> Self {
        FrameReader { partial: Vec::new(), limit }
    }

    /// The bytes of an incomplete frame.
    #[cfg(test)]
    pub fn kept_bytes(&self) -> usize {
        self.partial.len()
    }

    /// Takes bytes and calls `on_frame` with the body of each frame that is complete. It gives the longest body that the next frame may
    /// have, or why the connection is to be closed.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        mut on_frame: impl FnMut(&[u8]) -> Result<usize, DropReason>,
    ) -> Result<(), DropReason> {
        let mut partial = std::mem::take(&mut self.partial);
        let mut rest = if partial.is_empty() {
            bytes
        } else {
            partial.extend_from_slice(bytes);
            &partial[..]
        };
        while let Some((body, after)) = split_frame(rest, self.limit).map_err(|_| DropReason::Oversized)? {
            self.limit = on_frame(body)?;
            rest = after;
        }
        let left = rest.len();
        if partial.is_empty() {
            partial.extend_from_slice(&bytes[bytes.len() - left..]);
        } else {
            partial.drain(..partial.len() - left);
            if left <= KEPT_BYTES {
                partial.shrink_to(KEPT_BYTES);
            }
        }
        self.partial = partial;
        Ok(())
    }
}

/// Bytes on their way into a socket.
#[derive(Debug, Default)]
pub(crate) struct WriteBuffer {
    /// What is to be written; append here.
    pub bytes: Vec<u8>,
    written: usize,
}

impl WriteBuffer {
    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// Writes what the socket takes.
    pub fn flush(&mut self, transport: &mut Transport, stream: &mut TcpStream) -> io::Result<()> {
        self.written += transport.write(stream, &self.bytes[self.written..])?;
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_BYTES);
            self.written = 0;
        } else if self.written > self.bytes.len() / 2 {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_cut_wherever_the_stream_is_cut() {
        let stream = [3, 0, 0, 0, b'a', b'b', b'c', 0, 0, 0, 0, 2, 0, 0, 0, b'd', b'e'];
        for first in 0..stream.len() {
            for second in first..stream.len() {
                let mut reader = FrameReader::new();
                let mut frames = Vec::new();
                for chunk in [&stream[..first], &stream[first..second], &stream[second..]] {
                    let fed = reader.feed(chunk, |body| {
                        frames.push(body.to_vec());
                        Ok(3)
                    });
                    assert_eq!(fed, Ok(()));
                }
                assert_eq!(frames, [&b"abc"[..], b"", b"de"]);
            }
        }
    }

    #[test]
    fn a_long_frame_leaves_no_large_buffer_behind() {
        let mut reader = FrameReader { partial: Vec::new(), limit: 1 << 20 };
        let frame = [&(1_u32 << 20).to_le_bytes()[..], &vec![7; 1 << 20]].concat();
        let mut frames = 0;
        for chunk in frame.chunks(64 << 10) {
            let fed = reader.feed(chunk, |_| {
                frames += 1;
                Ok(1 << 20)
            });
            assert_eq!(fed, Ok(()));
        }
        assert_eq!(frames, 1);
        assert!(reader.partial.capacity() <= KEPT_BYTES, "{}", reader.partial.capacity());
    }

    #[test]
    fn a_frame_over_the_limit_ends_the_connection_before_it_is_read() {
        let mut reader = FrameReader::new();
        assert_eq!(reader.feed(&[129, 0, 0, 0], |_| Ok(0)), Err(DropReason::Oversized));
    }

    #[test]
    fn the_limit_grows_when_the_reader_of_frames_says_so() {
        let mut reader = FrameReader::new();
        assert_eq!(reader.feed(&[1, 0, 0, 0, 7], |_| Ok(200)), Ok(()));
        assert_eq!(reader.feed(&[200, 0, 0, 0], |_| Ok(200)), Ok(()));
        assert_eq!(reader.feed(&[1], |_| Ok(200)), Ok(()));
    }
}
