// Package interop drives a running server with the AWS SDK for Go v2.
//
// MILLWEIR_ENDPOINT (http://HOST:PORT) and MILLWEIR_CA name the server; the same port speaks TLS.
package interop

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

const (
	account = "444455556666"
	region  = "sa-east-1"
)

// transports are the ways to reach the one port of the server.
var transports = []string{"http", "https"}

// hashKeys is 2^128, the number of hash keys.
var hashKeys = new(big.Int).Lsh(big.NewInt(1), 128)

func client(t *testing.T, transport string) *kinesis.Client {
	t.Helper()
	endpoint := os.Getenv("MILLWEIR_ENDPOINT")
	options := kinesis.Options{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider(account, "any", ""),
		Retryer:     retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 12 }),
	}
	if transport == "https" {
		plain, err := url.Parse(endpoint)
		check(t, err)
		endpoint = "https://localhost:" + plain.Port()
		options.HTTPClient = trusting(t)
	}
	options.BaseEndpoint = aws.String(endpoint)
	return kinesis.New(options)
}

// trusting is an HTTP client that trusts the server's own authority, and speaks HTTP/2 by ALPN.
func trusting(t *testing.T) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(os.Getenv("MILLWEIR_CA"))
	check(t, err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("MILLWEIR_CA is not a certificate file")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T any](t *testing.T, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); g != w {
		t.Fatalf("got  %s\nwant %s", g, w)
	}
}

var streams atomic.Int32

func freshName() string { return fmt.Sprintf("go-%d-%d", os.Getpid(), streams.Add(1)) }

// newStream makes an ACTIVE stream that is deleted when the test ends; its name and ARN.
func newStream(t *testing.T, c *kinesis.Client, shards int32) (string, string) {
	t.Helper()
	name := freshName()
	_, err := c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards})
	check(t, err)
	t.Cleanup(func() {
		_, err := c.DeleteStream(context.Background(), &kinesis.DeleteStreamInput{
			StreamName: &name, EnforceConsumerDeletion: aws.Bool(true),
		})
		check(t, err)
	})
	return name, active(t, c, name)
}

// active waits until the stream is ACTIVE; its ARN.
func active(t *testing.T, c *kinesis.Client, name string) string {
	t.Helper()
	for range 100 {
		answer := summary(t, c, name)
		if answer.StreamStatus == types.StreamStatusActive {
			return *answer.StreamARN
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatal("the stream does not become ACTIVE")
	return ""
}

func summary(t *testing.T, c *kinesis.Client, name string) *types.StreamDescriptionSummary {
	t.Helper()
	answer, err := c.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: &name})
	check(t, err)
	return answer.StreamDescriptionSummary
}

// record is what must be equal between a record put and a record read.
type record struct {
	key    string
	data   string
	number string
}

func everyByte() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

// awkward has keys with payloads that a careless codec would alter.
func awkward() []record {
	return []record{
		{key: "plain", data: "text"},
		{key: "ключ", data: "значение"},
		{key: "鍵🌊", data: string(everyByte())},
		{key: "quo\"te\\and\ttab", data: "\x00\xff\x00\xff"},
		{key: strings.Repeat("k", 256), data: ""},
		{key: strings.Repeat("я", 256), data: "\r\n\x00"},
		{key: " ", data: string(bytes.Repeat(everyByte(), 200))},
		{key: "e\u0301", data: "\xc3\x28"},
	}
}

// numbered makes rounds records for each key; the payload tells key and number.
func numbered(keys, rounds, start int) []record {
	var records []record
	for n := start; n < start+rounds; n++ {
		for k := range keys {
			key := fmt.Sprintf("key-%d", k)
			records = append(records, record{key: key, data: fmt.Sprintf("%s:%d", key, n)})
		}
	}
	return records
}

// owner is the one open shard that holds a partition key.
func owner(t *testing.T, shards []types.Shard, key string) string {
	t.Helper()
	sum := md5.Sum([]byte(key))
	hash := new(big.Int).SetBytes(sum[:])
	var holders []string
	for _, shard := range shards {
		start, end := number(t, shard.HashKeyRange.StartingHashKey), number(t, shard.HashKeyRange.EndingHashKey)
		open := shard.SequenceNumberRange.EndingSequenceNumber == nil
		if open && start.Cmp(hash) <= 0 && hash.Cmp(end) <= 0 {
			holders = append(holders, *shard.ShardId)
		}
	}
	if len(holders) != 1 {
		t.Fatalf("%s is held by %v", hash, holders)
	}
	return holders[0]
}

func number(t *testing.T, text *string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(*text, 10)
	if !ok {
		t.Fatalf("%s is not a number", *text)
	}
	return n
}

// placed maps a shard to the records put there, in the order of their sequence numbers.
type placed map[string][]record

func (p placed) add(shard *string, r record, number *string) {
	r.number = *number
	p[*shard] = append(p[*shard], r)
}

func (p placed) sort() placed {
	for _, records := range p {
		// All numbers have 56 digits, so that their text sorts as they do.
		slices.SortFunc(records, func(a, b record) int { return strings.Compare(a.number, b.number) })
	}
	return p
}

func putOneByOne(t *testing.T, c *kinesis.Client, name string, records []record) placed {
	t.Helper()
	places := placed{}
	for _, r := range records {
		answer, err := c.PutRecord(t.Context(), &kinesis.PutRecordInput{
			StreamName: &name, PartitionKey: &r.key, Data: []byte(r.data),
		})
		check(t, err)
		places.add(answer.ShardId, r, answer.SequenceNumber)
	}
	return places.sort()
}

// putAll repeats PutRecords until each record is taken.
func putAll(t *testing.T, c *kinesis.Client, name string, records []record) placed {
	t.Helper()
	places := placed{}
	for range 60 {
		var entries []types.PutRecordsRequestEntry
		for _, r := range records {
			entries = append(entries, types.PutRecordsRequestEntry{PartitionKey: aws.String(r.key), Data: []byte(r.data)})
		}
		answer, err := c.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: &name, Records: entries})
		check(t, err)
		equal(t, len(answer.Records), len(records))
		var refused []record
		for i, result := range answer.Records {
			if result.ErrorCode != nil {
				refused = append(refused, records[i])
				continue
			}
			places.add(result.ShardId, records[i], result.SequenceNumber)
		}
		equal(t, int(*answer.FailedRecordCount), len(refused))
		if len(refused) == 0 {
			return places.sort()
		}
		records = refused
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatalf("%d records are refused", len(records))
	return nil
}

// iterator asks for one from the horizon; position changes that.
func iterator(t *testing.T, c *kinesis.Client, name, shard string, position ...func(*kinesis.GetShardIteratorInput)) *string {
	t.Helper()
	input := &kinesis.GetShardIteratorInput{
		StreamName: &name, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	}
	for _, change := range position {
		change(input)
	}
	answer, err := c.GetShardIterator(t.Context(), input)
	check(t, err)
	return answer.ShardIterator
}

// drain reads to the tip or the end of the shard.
func drain(t *testing.T, c *kinesis.Client, at *string) []types.Record {
	t.Helper()
	var records []types.Record
	for range 200 {
		page, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: at, Limit: aws.Int32(100)})
		check(t, err)
		records = append(records, page.Records...)
		if page.NextShardIterator == nil || *page.MillisBehindLatest == 0 {
			return records
		}
		at = page.NextShardIterator
	}
	t.Fatal("the tip is not reached")
	return nil
}

func briefs(records []types.Record) []record {
	var all []record
	for _, r := range records {
		all = append(all, record{key: *r.PartitionKey, data: string(r.Data), number: *r.SequenceNumber})
	}
	return all
}

// inOrderPerKey checks for the same records, once each, in order within each key.
func inOrderPerKey(t *testing.T, found, want []record) {
	t.Helper()
	perKey := func(records []record) map[string][]string {
		keys := map[string][]string{}
		for _, r := range records {
			keys[r.key] = append(keys[r.key], r.data)
		}
		return keys
	}
	equal(t, len(found), len(want))
	equal(t, perKey(found), perKey(want))
}
