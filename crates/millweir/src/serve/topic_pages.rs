//! Pages of SNS, which endpoints get without a signature: confirmations and certificates.

use http::Method;
use http::header::AUTHORIZATION;
use neighbors::sns::Sns;
use server::{Site, Visit};
use std::net::IpAddr;
use wire::{Answer, BoxFuture};

/// See the module.
pub(super) struct TopicPages(pub(super) Sns);

impl Site for TopicPages {
    fn has(&self, head: &http::request::Parts) -> bool {
        let query = head.uri.query().unwrap_or_default();
        // Who signs in a header asks as the caller that he is.
        let is_signed = head.headers.contains_key(AUTHORIZATION);
        head.method == Method::GET && !is_signed && Sns::has_page(head.uri.path(), query)
    }

    /// Whoever knows a token may use it.
    fn gate(&self, _: &http::request::Parts, _: IpAddr) -> Result<(), Answer> {
        Ok(())
    }

    fn page(&self, visit: Visit) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let uri = &visit.head.uri;
            match self.0.page(uri.path(), uri.query().unwrap_or_default()).await {
                Some(page) => {
                    let mut answer = Answer::whole(page.body.into());
                    answer.status = page.status;
                    answer.header("content-type", page.content_type);
                    answer
                }
                None => server::text(404, "no such page\n"),
            }
        })
    }
}
