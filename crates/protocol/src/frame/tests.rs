//! Headers against frames written out by hand.

use bytes::Bytes;

use super::*;
use crate::Records;
use crate::messages::api_versions_request::ApiVersionsRequest;
use crate::messages::api_versions_response::ApiVersionsResponse;
use crate::messages::fetch_response::{FetchResponse, FetchableTopicResponse, PartitionData};

fn whole(pieces: Vec<Piece>) -> Vec<u8> {
    let mut whole = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => whole.extend_from_slice(&bytes),
            Piece::External { .. } => panic!("nothing external here"),
        }
    }
    whole
}

#[test]
fn flexible_header_keeps_the_old_client_id() {
    let request = ApiVersionsRequest {
        client_software_name: "k".into(),
        client_software_version: "1".into(),
    };
    let frame = whole(encode_request(3, 7, Some(&"me".into()), &request).unwrap());
    let expected = [
        0, 0, 0, 18, // length
        0, 18, 0, 3, 0, 0, 0, 7, // key, version, correlation id
        0, 2, b'm', b'e', 0, // client id with a two-byte length, tagged fields
        2, b'k', 2, b'1', 0, // body
    ];
    assert_eq!(frame, expected);

    let (api, header, mut r) =
        decode_request_header(Bytes::copy_from_slice(&frame[LENGTH_SIZE..])).unwrap();
    assert_eq!(
        (api, header.request_api_version, header.correlation_id),
        (ApiKey::ApiVersions, 3, 7)
    );
    assert_eq!(header.client_id.as_deref(), Some("me"));
    assert_eq!(ApiVersionsRequest::decode(&mut r, 3).unwrap(), request);
    assert!(r.is_empty());
}

#[test]
fn api_versions_response_has_no_tagged_fields_in_its_header() {
    let response = ApiVersionsResponse { error_code: 35, ..Default::default() };
    let frame = whole(encode_response(ApiKey::ApiVersions, 0, 7, &response).unwrap());
    assert_eq!(frame, [0, 0, 0, 10, 0, 0, 0, 7, 0, 35, 0, 0, 0, 0]);
    let frame = whole(encode_response(ApiKey::ApiVersions, 3, 7, &response).unwrap());
    assert_eq!(frame, [0, 0, 0, 12, 0, 0, 0, 7, 0, 35, 1, 0, 0, 0, 0, 0]);
}

#[test]
fn an_unknown_version_still_has_a_header() {
    let frame = Bytes::from_static(&[0, 18, 0, 99, 0, 0, 0, 1, 0xff, 0xff, 0]);
    let (api, header, r) = decode_request_header(frame).unwrap();
    assert_eq!((api, header.request_api_version, r.remaining()), (ApiKey::ApiVersions, 99, 0));
}

#[test]
fn bad_headers() {
    let unknown = Bytes::from_static(&[0, 4, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
    let error = decode_request_header(unknown).unwrap_err();
    assert_eq!(error, HeaderError::UnknownApiKey { api_key: 4 });
    let cut = Bytes::from_static(&[0, 18, 0]);
    assert!(matches!(decode_request_header(cut), Err(HeaderError::Malformed(_))));
}

#[test]
fn external_records_leave_their_place_to_the_sender() {
    let partition = |records| PartitionData { records: Some(records), ..Default::default() };
    let response = |first, second| FetchResponse {
        responses: vec![FetchableTopicResponse {
            partitions: vec![partition(first), partition(second)],
            ..Default::default()
        }],
        ..Default::default()
    };
    let (small, large) = (Bytes::from(vec![1; 10]), Bytes::from(vec![2; 5000]));
    let memory = response(small.clone().into(), large.clone().into());
    let external = response(
        Records::External { token: 3, size_bytes: 10 },
        Records::External { token: 4, size_bytes: 5000 },
    );
    let expected = whole(encode_response(ApiKey::Fetch, 12, 1, &memory).unwrap());
    let mut sent = Vec::new();
    for piece in encode_response(ApiKey::Fetch, 12, 1, &external).unwrap() {
        match piece {
            Piece::Bytes(bytes) => sent.extend_from_slice(&bytes),
            Piece::External { token: 3, size_bytes: 10 } => sent.extend_from_slice(&small),
            Piece::External { token: 4, size_bytes: 5000 } => sent.extend_from_slice(&large),
            Piece::External { .. } => panic!("no such token"),
        }
    }
    assert_eq!(sent, expected);
}
