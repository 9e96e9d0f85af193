//! A keep-alive HTTP/1.1 connection that costs the load generator as little as can be.

use anyhow::{Context, Result, bail};
use bytes::BufMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest header block accepted.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Most bytes of one read: they are counted while they are in the processor's cache.
const READ_BYTES_MAX: usize = 256 * 1024;
/// What is kept of a long answer's beginning, and at least of its end: no client can do less with
/// it, and a buffer for all of it would cost more the longer the answer is.
const KEPT_BYTES: usize = 64 * 1024;
/// Longest that an answer grows before its middle goes.
const LONG_BYTES: usize = 512 * 1024;

/// One connection to a server; requests go one after another.
pub(crate) struct Connection {
    port: u16,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What is counted in answers.
    counted: &'static [u8],
    /// How often it was there, and up to where that was looked at.
    count: (u64, usize),
    /// Set when the server said that it closes after the last answer, as moto does.
    closes: bool,
}

/// A finished answer.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// Beginning and end of it, when it is long.
    pub(crate) body: &'a [u8],
    /// How often it holds what is counted.
    pub(crate) count: u64,
}

impl Connection {
    pub(crate) async fn open(port: u16) -> Result<Self> {
        Self::counting(port, b"").await
    }

    /// Counts how often its answers hold this.
    pub(crate) async fn counting(port: u16, counted: &'static [u8]) -> Result<Self> {
        let stream = connect(port).await?;
        let buffer = Vec::with_capacity(64 * 1024);
        Ok(Self { port, stream, buffer, counted, count: (0, 0), closes: false })
    }

    /// Sends a whole request and reads the whole answer.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        if std::mem::take(&mut self.closes) {
            self.stream = connect(self.port).await?;
        }
        self.send(request).await?;
        let head_len = self.read_head().await?;
        let head = std::str::from_utf8(&self.buffer[..head_len])?.to_ascii_lowercase();
        let status = head.get(9..12).context("no status line")?.parse()?;
        self.closes = header(&head, "connection") == Some("close");
        let body = match header(&head, "content-length") {
            Some(length) => {
                let length: usize = length.parse()?;
                self.skim(head_len + length).await?;
                head_len..self.buffer.len()
            }
            None if header(&head, "transfer-encoding") == Some("chunked") => {
                let end = self.read_chunks(head_len).await?;
                head_len..end
            }
            None => head_len..head_len,
        };
        Ok(Answer { status, body: &self.buffer[body], count: self.count.0 })
    }

    /// Sends without reading, for answers that stream.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<()> {
        self.buffer.clear();
        self.count = (0, 0);
        Ok(self.stream.write_all(request).await?)
    }

    /// More bytes of a streaming answer.
    pub(crate) async fn more(&mut self) -> Result<&[u8]> {
        let from = self.buffer.len();
        if self.stream.read_buf(&mut (&mut self.buffer).limit(READ_BYTES_MAX)).await? == 0 {
            bail!("the server closed the connection");
        }
        if !self.counted.is_empty() {
            let (count, looked_to) = self.count;
            let found = memchr::memmem::find_iter(&self.buffer[looked_to..], self.counted);
            // One that is not whole yet begins behind this.
            let looked_to =
                looked_to.max((self.buffer.len() + 1).saturating_sub(self.counted.len()));
            self.count = (count + found.count() as u64, looked_to);
        }
        Ok(&self.buffer[from..])
    }

    async fn read_head(&mut self) -> Result<usize> {
        loop {
            if let Some(at) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                return Ok(at + 4);
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                bail!("header block too long");
            }
            self.more().await?;
        }
    }

    /// Reads up to `len`, and keeps the beginning and the end.
    async fn skim(&mut self, len: usize) -> Result<()> {
        let mut dropped = 0;
        while dropped + self.buffer.len() < len {
            if self.buffer.len() >= LONG_BYTES {
                let middle = KEPT_BYTES..self.buffer.len() - KEPT_BYTES;
                dropped += middle.len();
                self.count.1 = self.count.1.saturating_sub(middle.len());
                self.buffer.copy_within(middle.end.., KEPT_BYTES);
                self.buffer.truncate(2 * KEPT_BYTES);
            }
            self.more().await?;
        }
        Ok(())
    }

    async fn fill(&mut self, len: usize) -> Result<()> {
        if self.buffer.capacity() < len {
            self.buffer.reserve(len - self.buffer.len());
        }
        while self.buffer.len() < len {
            self.more().await?;
        }
        Ok(())
    }

    /// Joins the chunks in place; returns where the body ends.
    async fn read_chunks(&mut self, start: usize) -> Result<usize> {
        let (mut write, mut read) = (start, start);
        loop {
            let line_end = loop {
                match memchr::memmem::find(&self.buffer[read..], b"\r\n") {
                    Some(at) => break read + at,
                    None => _ = self.more().await?,
                }
            };
            let size = std::str::from_utf8(&self.buffer[read..line_end])?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or("").trim(), 16)?;
            let data = line_end + 2;
            self.fill(data + size + 2).await?;
            self.buffer.copy_within(data..data + size, write);
            write += size;
            read = data + size + 2;
            if size == 0 {
                return Ok(write);
            }
        }
    }
}

async fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
}
