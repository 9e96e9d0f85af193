//! Serves the toy until its input ends; the first line of its output is the address.
#![expect(clippy::print_stdout, reason = "who started it reads the address")]

use std::io::Read as _;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let closed = tokio::task::spawn_blocking(|| {
        let mut rest = Vec::new();
        // However it ends, nobody is there any more.
        drop(std::io::stdin().read_to_end(&mut rest));
    });
    testkit::toy::serve(|address| println!("http://{address}"), async { drop(closed.await) }).await;
}
