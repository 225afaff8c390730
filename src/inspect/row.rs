//! A row of a shard or of the rejects as JSON: every column under its name, times as RFC 3339, ids of tokens as a list.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_cast::display::array_value_to_string;
use arrow_schema::{DataType, TimeUnit};
use serde_json::{Map, Value, json};

/// Row `row` of `batch`.
#[must_use]
pub fn json_of(batch: &RecordBatch, row: usize) -> Map<String, Value> {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns());
    columns.map(|(field, column)| (field.name().clone(), value(column.as_ref(), row))).collect()
}

fn value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => json!(column.as_string::<i32>().value(row)),
        DataType::Boolean => json!(column.as_boolean().value(row)),
        DataType::UInt32 => json!(column.as_primitive::<UInt32Type>().value(row)),
        DataType::UInt64 => json!(column.as_primitive::<UInt64Type>().value(row)),
        DataType::Int32 => json!(column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => shortest(column.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => json!(column.as_primitive::<Float64Type>().value(row)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let at = jiff::Timestamp::from_millisecond(column.as_primitive::<TimestampMillisecondType>().value(row));
            at.map_or(Value::Null, |at| json!(at.to_string()))
        }
        DataType::List(_) => {
            let values = column.as_list::<i32>().value(row);
            (0..values.len()).map(|place| value(values.as_ref(), place)).collect()
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(column.as_struct().columns());
            Value::Object(columns.map(|(field, column)| (field.name().clone(), value(column.as_ref(), row))).collect())
        }
        other => told(column, row, other.is_numeric()),
    }
}

/// A value of a type that no schema of ours has, as answers in SQL may: numbers as such, all else as text.
fn told(column: &dyn Array, row: usize, is_number: bool) -> Value {
    let text = array_value_to_string(column, row).unwrap_or_default();
    match text.parse::<serde_json::Number>() {
        Ok(number) if is_number => Value::Number(number),
        _ => Value::String(text),
    }
}

/// A number of single precision with the digits that it has.
fn shortest(number: f32) -> Value {
    number.to_string().parse::<f64>().ok().and_then(serde_json::Number::from_f64).map_or(Value::Null, Value::Number)
}
