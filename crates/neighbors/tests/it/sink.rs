//! A stream that takes records, or does not, as a test tells it.

use api::kinesis::{
    PutRecordsInput, PutRecordsOutput, PutRecordsRequestEntry, PutRecordsResultEntry,
};
use api::{Boxed, Handle};
use base::Cx;
use base::policy::{Attached, Context, Request, decide};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read as _;
use std::sync::Mutex;
use wire::{BoxFuture, Refusal};

/// What a sink does with a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Mood {
    #[default]
    Takes,
    Refuses,
    /// The first record, and none behind it.
    TakesOne,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Sink {
    mood: Mutex<Mood>,
    taken: Mutex<Vec<PutRecordsRequestEntry>>,
    calls: Mutex<Vec<String>>,
}

impl Sink {
    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// Who made the last call.
    pub(crate) fn last_caller(&self) -> String {
        self.calls.lock().unwrap().last().cloned().unwrap_or_default()
    }

    /// The partition keys of what was taken.
    pub(crate) fn keys(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let key = |entry: &PutRecordsRequestEntry| entry.partition_key.clone().unwrap().to_string();
        taken.iter().map(key).collect()
    }

    /// What was taken, unpacked, but for first messages.
    pub(crate) fn envelopes(&self) -> Vec<Value> {
        let all = self.all();
        all.into_iter().filter(|one| one["messageType"] == "DATA_MESSAGE").collect()
    }

    /// All of it.
    pub(crate) fn all(&self) -> Vec<Value> {
        let unpacked = |entry: &PutRecordsRequestEntry| {
            let mut json = String::new();
            GzDecoder::new(&*entry.data).read_to_string(&mut json).unwrap();
            serde_json::from_str(&json).unwrap()
        };
        self.taken.lock().unwrap().iter().map(unpacked).collect()
    }

    /// The messages of events, in order.
    pub(crate) fn messages(&self) -> Vec<String> {
        let envelopes = self.envelopes();
        let events = envelopes.iter().flat_map(|one| one["logEvents"].as_array().unwrap());
        events.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }

    fn put(&self, cx: &Cx, input: PutRecordsInput) -> Result<PutRecordsOutput, Refusal> {
        self.calls.lock().unwrap().push(cx.caller_arn.to_string());
        let arn = input.stream_arn.unwrap();
        let (action, context) = ("kinesis:PutRecords", Context::default());
        let request = Request { cx, action, resource: &arn, context };
        decide(&request, Attached::OWNED)
            .map_err(|denial| Refusal::client("AccessDeniedException", denial.to_string()))?;
        if arn.ends_with("/none") {
            return Err(Refusal::client("ResourceNotFoundException", "no such stream"));
        }
        let mood = *self.mood.lock().unwrap();
        if mood == Mood::Refuses {
            return Err(Refusal::internal());
        }
        let mut records = Vec::new();
        for (at, entry) in input.records.into_iter().enumerate() {
            let is_taken = at == 0 || mood == Mood::Takes;
            if is_taken {
                self.taken.lock().unwrap().push(entry);
            }
            let error_code = (!is_taken).then(|| "InternalFailure".into());
            records.push(PutRecordsResultEntry { error_code, ..PutRecordsResultEntry::default() });
        }
        Ok(PutRecordsOutput { records, ..PutRecordsOutput::default() })
    }
}

impl Handle for Sink {
    fn call<'a>(
        &'a self,
        cx: &'a Cx,
        operation: &'a str,
        input: Boxed,
    ) -> BoxFuture<'a, Result<Boxed, Refusal>> {
        Box::pin(async move {
            assert_eq!(operation, "PutRecords");
            let input = input.downcast::<PutRecordsInput>().unwrap();
            Ok(Box::new(self.put(cx, *input)?) as Boxed)
        })
    }
}
