//! Examples, which open every help text, and exit codes.

/// Examples first, then the rest as clap orders it.
pub(crate) const TEMPLATE: &str = "\
{before-help}{about-with-newline}
{usage-heading} {usage}

{all-args}

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 the server refused, 4 damaged data,
130 ctrl-c before it was done; `serve`, `tail` and `generate` end well by ctrl-c, with 0";

pub(crate) const TOP: &str = "\
Examples:
  millweir                                  serve on 127.0.0.1:4566, data in ./millweir-data
  eval \"$(millweir env)\"                    point AWS clients of this shell to it
  millweir stream create clicks --shards 4
  millweir put clicks 'hello'
  millweir tail clicks --from trim_horizon";

pub(crate) const SERVE: &str = "\
Examples:
  millweir serve                            loopback, durable, any credentials
  millweir serve --memory --listen 127.0.0.1:0
  millweir serve --data /var/lib/millweir --limits hardware
  millweir serve --config /etc/millweir/millweir.toml --auth required
  MILLWEIR__LIFECYCLE__CREATING=2s millweir  every option has a variable

`millweir check-config --options` lists every option of the file and the environment.";

pub(crate) const STREAM: &str = "\
Examples:
  millweir stream create clicks --shards 4
  millweir stream list
  millweir stream describe clicks --output json
  millweir stream reshard clicks --shards 8
  millweir stream reshard clicks --split shardId-000000000000
  millweir stream delete clicks";

pub(crate) const CREATE: &str = "\
Examples:
  millweir stream create clicks --shards 4
  millweir stream create clicks --on-demand --retention 168
  millweir stream create clicks --if-absent";

pub(crate) const LIST: &str = "\
Examples:
  millweir stream list
  millweir stream list --region eu-west-1 --output json";

pub(crate) const DESCRIBE: &str = "\
Examples:
  millweir stream describe clicks
  millweir stream describe clicks --output json";

pub(crate) const DELETE: &str = "\
Examples:
  millweir stream delete clicks
  millweir stream delete clicks --with-consumers";

pub(crate) const RESHARD: &str = "\
Examples:
  millweir stream reshard clicks --shards 8
  millweir stream reshard clicks --split shardId-000000000000
  millweir stream reshard clicks --merge shardId-000000000001 shardId-000000000002";

pub(crate) const PUT: &str = "\
Examples:
  millweir put clicks 'hello'
  millweir put clicks --key user-7 '{\"page\":\"/\"}'
  millweir put clicks --file /var/log/apache2/access.log --key-field 1
  tail -F app.log | millweir put clicks";

pub(crate) const METRICS: &str = "\
Examples:
  millweir metrics ls AWS/Kinesis
  millweir metrics get AWS/Kinesis IncomingBytes -d StreamName=clicks
  millweir metrics watch AWS/Kinesis IncomingRecords -d StreamName=clicks";

pub(crate) const METRICS_LS: &str = "\
Examples:
  millweir metrics ls
  millweir metrics ls AWS/Kinesis IncomingBytes
  millweir metrics ls --dimension StreamName=clicks --output json";

pub(crate) const METRICS_GET: &str = "\
Examples:
  millweir metrics get AWS/Kinesis IncomingBytes -d StreamName=clicks
  millweir metrics get AWS/Kinesis PutRecord.Latency -d StreamName=clicks --stat Average
  millweir metrics get my-app Latency --stat p99 --period 5m --from -1d --output json";

pub(crate) const METRICS_WATCH: &str = "\
Examples:
  millweir metrics watch AWS/Kinesis IncomingRecords -d StreamName=clicks
  millweir metrics watch my-app Latency --stat p99 --span 6h --period 5m";

pub(crate) const ALARM: &str = "\
Examples:
  millweir alarm ls
  millweir alarm put busy AWS/Kinesis IncomingBytes -d StreamName=clicks --above 1e6
  millweir alarm test busy";

pub(crate) const ALARM_LS: &str = "\
Examples:
  millweir alarm ls
  millweir alarm ls --state alarm --output json";

pub(crate) const ALARM_PUT: &str = "\
Examples:
  millweir alarm put busy AWS/Kinesis IncomingBytes -d StreamName=clicks --above 1e6
  millweir alarm put late AWS/Kinesis GetRecords.IteratorAgeMilliseconds -d StreamName=clicks \
    --stat Maximum --above 60000 --periods 3 --datapoints 2 --missing notBreaching";

pub(crate) const ALARM_TEST: &str = "\
Examples:
  millweir alarm test busy
  millweir alarm test busy --state ok";

pub(crate) const LOGS: &str = "\
Examples:
  millweir logs ls
  millweir logs tail /aws/lambda/resize
  millweir logs tail /aws/lambda/resize --since 1h --filter ERROR --no-follow";

pub(crate) const LOGS_LS: &str = "\
Examples:
  millweir logs ls
  millweir logs ls /aws/lambda/ --output json";

pub(crate) const LOGS_TAIL: &str = "\
Examples:
  millweir logs tail /aws/lambda/resize
  millweir logs tail app --filter '{ $.level = \"error\" }' --output json
  millweir logs tail app --stream-prefix web- --since 1h --no-follow";

pub(crate) const TAIL: &str = "\
Examples:
  millweir tail clicks                                    what comes from now on
  millweir tail clicks --from trim_horizon --max-records 10
  millweir tail clicks --from -15m --output json
  millweir tail clicks --fan-out --consumer dashboard";

pub(crate) const GENERATE: &str = "\
Examples:
  millweir generate ticks --preset stock-ticker --rate 100
  millweir generate logs --preset apache-log --rate 1000 --duration 60s
  millweir generate --stdout --preset sensor --records 5 --seed 42";

pub(crate) const BENCH: &str = "\
Examples:
  millweir bench                            10 s of PutRecords, 16 connections, 1 KiB records
  millweir bench --mode put-record --connections 64
  millweir bench --mode get-records --records 100000";

pub(crate) const ENV: &str = "\
Examples:
  eval \"$(millweir env)\"                            sh, bash, zsh
  millweir env --shell fish | source
  millweir env --shell powershell | Invoke-Expression";

pub(crate) const VERIFY: &str = "\
Examples:
  millweir verify                           the configured data directory
  millweir verify /var/lib/millweir --output json";

pub(crate) const CHECK_CONFIG: &str = "\
Examples:
  millweir check-config
  millweir check-config --options           every option, its default, what it means
  millweir check-config --config ./millweir.toml --show-origin
  MILLWEIR__LIMITS=hardware millweir check-config --show-origin";

pub(crate) const COMPLETION: &str = "\
Examples:
  millweir completion bash > /etc/bash_completion.d/millweir
  millweir completion zsh > \"${fpath[1]}/_millweir\"
  millweir completion fish > ~/.config/fish/completions/millweir.fish
  millweir completion powershell | Out-String | Invoke-Expression";
