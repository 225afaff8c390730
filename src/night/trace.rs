//! The spans of a night for OpenTelemetry: the night, its crawl or harvest, each plan, its stages, its tasks. They are kept in memory and sent when the night ends,
//! as OTLP over HTTP in JSON, to the collector that the settings name.
//!
//! The protocol that this takes is one document of four levels (opentelemetry-proto, trace.proto; ids in hex, times as decimal strings of nanoseconds) and the
//! post that the webhook has already; the SDK with its exporter would bring protocol buffers, gRPC types and a second HTTP client for it. Spans hold names of data
//! sets, plans and stages, numbers, and words for what went wrong; no name of a host, page or person.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

use crate::store::sha256_bytes;

/// Spans of a night that are kept; what comes after is counted.
const SPANS_MAX: usize = 20_000;
/// Spans in one request.
const BATCH: usize = 512;
/// Status of a span that failed (`STATUS_CODE_ERROR`).
const FAILED: u32 = 2;
/// Kind of a span without a partner elsewhere (`SPAN_KIND_INTERNAL`).
const INTERNAL: u32 = 1;

/// What is told of a span beside its times: a name and a value.
pub type Attributes = Vec<(&'static str, Value)>;

/// A span that has begun.
#[derive(Clone, Debug)]
pub struct Open {
    id: String,
    parent: String,
    name: String,
    begun_ns: u64,
}

/// The trace of one try of a night.
pub struct Trace {
    id: String,
    begun: Instant,
    at_ns: u64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    begun: u64,
    spans: Vec<String>,
    left_out: u64,
}

impl Trace {
    /// A trace that begins at `at_ns`, in nanoseconds since 1970. Its id comes of `names`, which no other try shares.
    #[must_use]
    pub fn begin(at_ns: u64, names: &[&str]) -> Trace {
        let id = sha256_bytes(format!("{} {at_ns}", names.join(" ")).as_bytes())[..32].to_owned();
        Trace { id, begun: Instant::now(), at_ns, kept: Mutex::default() }
    }

    fn now_ns(&self) -> u64 {
        self.at_ns + u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(0)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a span inside of `parent`.
    #[must_use]
    pub fn open(&self, name: impl Into<String>, parent: Option<&Open>) -> Open {
        let mut kept = self.kept();
        kept.begun += 1;
        let id = sha256_bytes(format!("{} {}", self.id, kept.begun).as_bytes())[..16].to_owned();
        let parent = parent.map_or_else(String::new, |parent| parent.id.clone());
        Open { id, parent, name: name.into(), begun_ns: self.now_ns() }
    }

    /// Ends a span, well or for a reason.
    pub fn close(&self, open: Open, attributes: Attributes, failed: Option<&str>) {
        let status = failed.map_or_else(|| json!({}), |why| json!({ "code": FAILED, "message": why }));
        let span = json!({
            "traceId": self.id, "spanId": open.id, "parentSpanId": open.parent, "name": open.name, "kind": INTERNAL,
            "startTimeUnixNano": open.begun_ns.to_string(), "endTimeUnixNano": self.now_ns().to_string(),
            "attributes": attributes.into_iter().map(attribute).collect::<Vec<_>>(), "status": status,
        });
        let mut kept = self.kept();
        // The night itself has no parent, and is told whatever else is.
        if kept.spans.len() < SPANS_MAX || open.parent.is_empty() {
            kept.spans.push(span.to_string());
        } else {
            kept.left_out += 1;
        }
    }

    /// Spans that were too many to be kept.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.kept().left_out
    }

    /// What is to be posted: a document for some hundred spans each.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let resource = [("service.name", json!("tamis")), ("service.version", json!(env!("CARGO_PKG_VERSION")))].map(attribute);
        let scope = json!({ "name": "tamis.night", "version": env!("CARGO_PKG_VERSION") });
        let resource = json!({ "attributes": resource });
        let request = |spans: &[String]| {
            let spans = spans.join(",");
            format!("{{\"resourceSpans\":[{{\"resource\":{resource},\"scopeSpans\":[{{\"scope\":{scope},\"spans\":[{spans}]}}]}}]}}")
        };
        self.kept().spans.chunks(BATCH).map(request).collect()
    }
}

/// A name and a value as the protocol writes them: whole numbers are texts there.
fn attribute((key, value): (&str, Value)) -> Value {
    let value = match value {
        Value::Number(number) if number.is_u64() || number.is_i64() => json!({ "intValue": number.to_string() }),
        Value::Number(number) => json!({ "doubleValue": number }),
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::String(text) => json!({ "stringValue": text }),
        other => json!({ "stringValue": other.to_string() }),
    };
    json!({ "key": key, "value": value })
}

/// Where traces are taken: the endpoint of a collector with the path that the protocol gives them.
#[must_use]
pub fn address(endpoint: &str) -> String {
    format!("{}/v1/traces", endpoint.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_a_tree_with_times_that_fit_and_what_is_too_much_is_counted() {
        let trace = Trace::begin(1_700_000_000_000_000_000, &["web", "2026-11-26", "1"]);
        let night = trace.open("night", None);
        let stage = trace.open("clean", Some(&night));
        trace.close(stage.clone(), vec![("tamis.tasks", json!(3)), ("tamis.share", json!(0.5))], Some("disk"));
        for _ in 0..SPANS_MAX {
            trace.close(trace.open("task", Some(&stage)), Vec::new(), None);
        }
        trace.close(night, vec![("tamis.dataset", json!("web"))], None);
        let requests: Vec<Value> = trace.requests().iter().map(|text| serde_json::from_str(text).expect("JSON")).collect();
        let spans: Vec<&Value> =
            requests.iter().flat_map(|request| request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans")).collect();
        assert_eq!((spans.len(), trace.left_out(), requests.len()), (SPANS_MAX + 1, 1, SPANS_MAX / BATCH + 1));
        let (first, last) = (spans[0], spans[SPANS_MAX]);
        assert_eq!((&first["parentSpanId"], &last["parentSpanId"]), (&last["spanId"], &"".into()));
        let is_hex =
            |value: &Value, length| value.as_str().is_some_and(|text| text.len() == length && u128::from_str_radix(text, 16).is_ok());
        assert!(is_hex(&first["traceId"], 32) && is_hex(&first["spanId"], 16));
        assert_eq!(first["attributes"][0], json!({ "key": "tamis.tasks", "value": { "intValue": "3" } }));
        assert_eq!(first["status"], json!({ "code": 2, "message": "disk" }));
        let ns = |span: &Value, name: &str| span[name].as_str().and_then(|text| text.parse::<u64>().ok()).expect("nanoseconds");
        assert!(
            ns(last, "startTimeUnixNano") <= ns(first, "startTimeUnixNano") && ns(first, "endTimeUnixNano") <= ns(last, "endTimeUnixNano")
        );
        let ids: std::collections::BTreeSet<&str> = spans.iter().filter_map(|span| span["spanId"].as_str()).collect();
        assert_eq!(ids.len(), spans.len(), "no two have one id");
        assert_eq!(address("http://127.0.0.1:4318/"), "http://127.0.0.1:4318/v1/traces");
    }
}
