//! Fetches the pinned botocore from PyPI and writes its facts.

use super::model::{Model, Pin};
use anyhow::{Context as _, bail};
use std::path::Path;
use std::process::Command;

/// Prints one service's JSON out of a wheel. Python is here for pip anyway and knows zip and gzip.
const READ_WHEEL: &str = "
import gzip, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
name = 'botocore/data/' + sys.argv[2] + '/service-2.json'
if name in wheel.namelist():
    body = wheel.read(name)
else:
    body = gzip.decompress(wheel.read(name + '.gz'))
sys.stdout.buffer.write(body)
";

pub(super) fn run(root: &Path) -> anyhow::Result<()> {
    let pin = Pin::load(root)?;
    let directory = root.join("target/model").join(&pin.version);
    let wheel = format!("{}-{}-py3-none-any.whl", pin.package, pin.version);
    let wheel = directory.join(wheel);
    if !wheel.exists() {
        download(&pin, &directory)?;
    }
    for service in &pin.service {
        let Some(path) = &service.path else { continue };
        let mut model = read(&wheel, path)?;
        model.keep(&service.operations).with_context(|| service.name.clone())?;
        let path = root.join(format!("model/{}.json", service.name));
        super::write(&path, &model.to_text()?)?;
    }
    Ok(())
}

fn download(pin: &Pin, directory: &Path) -> anyhow::Result<()> {
    let requirement = format!("{}=={}", pin.package, pin.version);
    let status = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"])
        .arg(directory)
        .arg(&requirement)
        .status()
        .context("python3 with pip is needed")?;
    if !status.success() {
        bail!("pip could not download {requirement}");
    }
    Ok(())
}

fn read(wheel: &Path, path: &str) -> anyhow::Result<Model> {
    let output = Command::new("python3").args(["-c", READ_WHEEL]).arg(wheel).arg(path).output()?;
    if !output.status.success() {
        bail!("{path}: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).with_context(|| path.to_owned())
}
