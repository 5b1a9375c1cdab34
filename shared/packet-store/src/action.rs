//! Puts as actions of a transaction, each with what must be so under its key.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, builders::PutBuilder};

use crate::{Store, item::Item};

impl Store {
    pub(crate) fn put_of(&self, item: Item) -> PutBuilder {
        Put::builder().table_name(&*self.table).set_item(Some(item))
    }
}

/// `put` comes from [`Store::put_of`].
pub(crate) fn action(put: PutBuilder) -> TransactWriteItem {
    TransactWriteItem::builder().put(put.build().expect("item and table are set")).build()
}

/// Nothing stands under the key yet.
pub(crate) fn if_absent(put: PutBuilder) -> PutBuilder {
    put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk")
}

/// What stands under the key has that value in that attribute still.
pub(crate) fn if_still(put: PutBuilder, name: &str, value: AttributeValue) -> PutBuilder {
    put.condition_expression("#known = :known")
        .expression_attribute_names("#known", name)
        .expression_attribute_values(":known", value)
}
