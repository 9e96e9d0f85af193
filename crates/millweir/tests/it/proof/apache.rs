//! The access log of a real Apache httpd under load goes in from 100 producers while the server is
//! killed three times, and comes out through polling and fan-out with every line accounted for.

use super::ledger::{Item, Ledger, create, pause};
use crate::support::{Running, read, write};
use base::env::{Disk as _, OsDisk};
use client::{Client, Consumer, ConsumerOptions, Mode};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

const STREAM: &str = "access-log";
const SHARDS: i32 = 8;
const PRODUCERS: usize = 100;
const BATCH_LINES: usize = 20;
const KILLS: usize = 3;
/// Paths of the site, as `ab` asks for them, with how often.
const LOAD: [(&str, u32); 4] =
    [("/index.html", 70_000), ("/missing", 15_000), ("/moved", 10_000), ("/private/", 10_000)];
/// Long enough for a restart in the middle of a batch.
const PUT_ATTEMPTS_MAX: u32 = 2000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apache_log_survives_three_kills() {
    if crate::support::skipped("apache") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = write_log(folder.path()).await;
    let text = read(&log);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(lines.len() >= 100_000, "{} lines", lines.len());
    let mut server = Running::start(&["--limits", "hardware"]);
    create(&server.client(), STREAM, SHARDS).await;

    let ledger = Arc::new(Ledger::default());
    let lines = Arc::new(lines);
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|p| tokio::spawn(produce(ledger.clone(), server.client(), lines.clone(), p)))
        .collect();
    for kill in 1..=KILLS {
        while ledger.len() < lines.len() * kill / (KILLS + 1) {
            pause(5).await;
        }
        server.kill();
        server.restart();
    }
    for producer in producers {
        producer.await.expect("a producer's own asserts");
    }
    assert_eq!(ledger.len(), lines.len(), "one acknowledgement a line");

    let wanted = counts_of_awk(&log);
    let client = server.client();
    let polling = Mode::Poll { idle: Duration::from_millis(50) };
    assert_eq!(read_back(&client, polling, &ledger).await, wanted, "through polling");
    let fan_out = Mode::FanOut { consumer_name: "counter".into() };
    assert_eq!(read_back(&client, fan_out, &ledger).await, wanted, "through fan-out");
}

/// One web server's agent: its lines in order, the next batch when the last one is acknowledged.
async fn produce(ledger: Arc<Ledger>, client: Client, lines: Arc<Vec<String>>, producer: usize) {
    let mine: Vec<usize> = (producer..lines.len()).step_by(PRODUCERS).collect();
    for batch in mine.chunks(BATCH_LINES) {
        let items = batch.iter().map(|&n| item(producer, n, &lines[n])).collect();
        let done = ledger.put(&client, STREAM, items, PUT_ATTEMPTS_MAX).await;
        assert!(done, "the server did not come back");
    }
}

fn item(producer: usize, number: usize, line: &str) -> Item {
    let key = format!("web-{producer:03}").into();
    (key, format!("{number}\t{line}").into_bytes().into(), number as u64)
}

/// Reads the whole stream; acknowledged lines per status code.
async fn read_back(client: &Client, mode: Mode, ledger: &Ledger) -> BTreeMap<String, u64> {
    let options = ConsumerOptions { mode, ..ConsumerOptions::new(STREAM) };
    let mut consumer = Consumer::start(client.clone(), options).await.expect("a consumer");
    let mut read: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut counts = BTreeMap::new();
    while seen.len() < ledger.len() {
        let next = tokio::time::timeout(Duration::from_secs(30), consumer.next()).await;
        let batch = next.expect("records in time").expect("no end").expect("no error");
        for record in &batch.records {
            if ledger.holds(&batch.shard_id, &record.sequence_number) {
                assert!(seen.insert(record.sequence_number.clone()), "the same record twice");
                let line = std::str::from_utf8(&record.data).unwrap();
                *counts.entry(status_of(line)).or_default() += 1;
            }
        }
        read.entry(batch.shard_id).or_default().extend(batch.records);
    }
    consumer.close().await.expect("the consumer is deregistered");
    assert_eq!(read.len(), SHARDS as usize, "every shard took records");
    for (shard, records) in &read {
        ledger.check(shard, records);
    }
    counts
}

/// The ninth word of a line in the common log format.
fn status_of(line: &str) -> String {
    let (_, line) = line.split_once('\t').unwrap();
    line.split_whitespace().nth(8).unwrap().to_owned()
}

fn counts_of_awk(log: &Path) -> BTreeMap<String, u64> {
    let program = "{ n[$9]++ } END { for (s in n) print s, n[s] }";
    let output = Command::new("awk").arg(program).arg(log).output().expect("awk");
    let text = String::from_utf8(output.stdout).unwrap();
    let pair = |line: &str| {
        let (status, count) = line.split_once(' ').unwrap();
        (status.to_owned(), count.parse().unwrap())
    };
    text.lines().map(pair).collect()
}

/// Runs httpd in `folder`, puts it under load with `ab` and returns its access log.
async fn write_log(folder: &Path) -> std::path::PathBuf {
    let site = folder.join("site");
    OsDisk.create_dir_all(&site.join("private")).unwrap();
    write(&site.join("index.html"), "<h1>Millweir</h1>\n");
    let port = free_port();
    let config = folder.join("httpd.conf");
    write(&config, &httpd_config(folder, port));
    let mut httpd = Command::new("apache2")
        .arg("-f")
        .arg(&config)
        .arg("-DFOREGROUND")
        .spawn()
        .expect("apache2 is installed (./test does that)");
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(httpd.try_wait().unwrap().is_none(), "httpd ended at once");
        pause(20).await;
    }
    for (path, requests) in LOAD {
        let url = format!("http://127.0.0.1:{port}{path}");
        let ab = Command::new("ab")
            .args(["-q", "-k", "-c", "32", "-n", &requests.to_string(), &url])
            .output()
            .expect("ab is installed (apache2-utils)");
        assert!(ab.status.success(), "{}", String::from_utf8_lossy(&ab.stderr));
    }
    let pid = httpd.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    httpd.wait().unwrap();
    folder.join("access.log")
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn httpd_config(folder: &Path, port: u16) -> String {
    let modules = "/usr/lib/apache2/modules";
    let load = ["mpm_event", "authz_core", "alias", "dir", "mime"]
        .map(|m| format!("LoadModule {m}_module {modules}/mod_{m}.so\n"))
        .concat();
    let folder = folder.display();
    format!(
        "{load}ServerName localhost\nListen 127.0.0.1:{port}\nPidFile {folder}/httpd.pid\n\
         DefaultRuntimeDir {folder}\nMutex fcntl:{folder}\nTypesConfig /etc/mime.types\n\
         DocumentRoot {folder}/site\nErrorLog {folder}/error.log\nLogLevel crit\n\
         LogFormat \"%h %l %u %t \\\"%r\\\" %>s %b\" common\nCustomLog {folder}/access.log common\n\
         KeepAlive On\nMaxKeepAliveRequests 0\nRedirect 301 /moved /index.html\n\
         <Location /private/>\nRequire all denied\n</Location>\n"
    )
}
