//! Metrics: put, listed, read as statistics and with math, over restarts and long times.

use crate::house::{cases, run_with};
use base::metrics::{AwsMetric, Definition};
use neighbors::cloudwatch::{CloudWatch, Options};
use testkit::script::Stage as _;

const HOUR: &str = "pass 3600000 ; settle";

cases! { CloudWatch
    what_was_put_is_read: "
        minute = $t ; minute -60 = $from ; minute 60 = $to
        PutMetricData Namespace=N MetricData=[{MetricName=m Value=3} {MetricName=m Value=5 \
          Timestamp=$t}]
        GetMetricStatistics Namespace=N MetricName=m StartTime=$from EndTime=$to Period=60 \
          Statistics=[Sum Average Minimum Maximum SampleCount] = Label=m \
          Datapoints=[{Timestamp=$t Sum=8.0 Average=4.0 Minimum=3.0 Maximum=5.0 SampleCount=2.0 \
          Unit=None}]
        // Another region and another account have nothing.
        @000000000000/eu-west-1 GetMetricStatistics Namespace=N MetricName=m StartTime=$from \
          EndTime=$to Period=60 Statistics=[Sum] = Datapoints=[]
        @111122223333 ListMetrics Namespace=N = Metrics=[]
        restart
        GetMetricStatistics Namespace=N MetricName=m StartTime=$from EndTime=$to Period=60 \
          Statistics=[Sum] = Datapoints=[{Sum=8.0 Average=null}]
        ListMetrics = Metrics=[{Namespace=N MetricName=m Dimensions=[]}]
    "

    sets_and_histograms: "
        minute -60 = $from ; minute 60 = $to
        PutMetricData Namespace=N MetricData=[{MetricName=m StatisticValues={SampleCount=4 \
          Sum=10 Minimum=1 Maximum=4}}]
        PutMetricData Namespace=N MetricData=[{MetricName=h Values=[1 2 9] Counts=[90 9 1]}]
        GetMetricStatistics Namespace=N MetricName=m StartTime=$from EndTime=$to Period=60 \
          Statistics=[Average] = Datapoints=[{Average=2.5}]
        // Of a set alone nobody knows how it is spread.
        GetMetricStatistics Namespace=N MetricName=m StartTime=$from EndTime=$to Period=60 \
          ExtendedStatistics=[p50] = Datapoints=[]
        GetMetricStatistics Namespace=N MetricName=h StartTime=$from EndTime=$to Period=60 \
          ExtendedStatistics=[p50 p99 p100] = Datapoints=[{ExtendedStatistics={p50=1.0 p100=9.0 \
          p99=2.0}}]
    "

    units_are_apart: "
        minute -60 = $from ; minute 60 = $to
        PutMetricData Namespace=N MetricData=[{MetricName=m Value=1 Unit=Bytes} {MetricName=m \
          Value=2 Unit=Count}]
        GetMetricStatistics Namespace=N MetricName=m StartTime=$from EndTime=$to Period=60 \
          Statistics=[Sum] = Datapoints.length=2
        GetMetricStatistics Namespace=N MetricName=m StartTime=$from EndTime=$to Period=60 \
          Statistics=[Sum] Unit=Count = Datapoints=[{Sum=2.0 Unit=Count}]
        ListMetrics Namespace=N = Metrics.length=1
    "

    dimensions_in_any_order_are_one_metric: "
        minute -60 = $from ; minute 60 = $to
        PutMetricData Namespace=N MetricData=[{MetricName=m Dimensions=[{Name=b Value='2'} \
          {Name=a Value='1'}] Value=1}]
        GetMetricStatistics Namespace=N MetricName=m Dimensions=[{Name=a Value='1'} {Name=b \
          Value='2'}] StartTime=$from EndTime=$to Period=60 Statistics=[Sum] = Datapoints.length=1
        GetMetricStatistics Namespace=N MetricName=m Dimensions=[{Name=a Value='1'}] \
          StartTime=$from EndTime=$to Period=60 Statistics=[Sum] = Datapoints=[]
        ListMetrics Dimensions=[{Name=a}] = Metrics.length=1
        ListMetrics Dimensions=[{Name=a Value='2'}] = Metrics=[]
    "

    pages_of_metrics: "
        501x PutMetricData Namespace=N MetricData=[{MetricName=m$i Value=1}]
        ListMetrics Namespace=N = Metrics.length=500 NextToken=$token
        ListMetrics Namespace=N NextToken='$token' = Metrics.length=1 NextToken=null
        ListMetrics Namespace=O NextToken='$token' ! InvalidParameterValueException
    "

    what_nobody_may_put: "
        PutMetricData Namespace='AWS/Kinesis' MetricData=[{MetricName=m Value=1}] \
          ! InvalidParameterValueException: The value AWS/Kinesis for parameter Namespace is invalid.
        PutMetricData Namespace=N MetricData=[{MetricName=m Value=1 Values=[1]}] ! \
          InvalidParameterCombinationException: The parameters MetricData.member.1.Value and \
          MetricData.member.1.Values are mutually exclusive and you have specified both.
        PutMetricData Namespace=N MetricData=[{MetricName=m Values=[1 2] Counts=[1]}] ! \
          InvalidParameterValueException: The parameters MetricData.member.1.Values and \
          MetricData.member.1.Counts must be of the same size.
        PutMetricData Namespace=N MetricData=[{MetricName=m}] ! MissingRequiredParameterException
        PutMetricData Namespace=N MetricData=[{MetricName=m Value=1e120}] ! \
          InvalidParameterValueException
        PutMetricData Namespace=N MetricData=[{MetricName=m Value=1 StorageResolution=5}] ! \
          InvalidParameterValueException
        now -1209700 = $old ; now 7300 = $new
        PutMetricData Namespace=N MetricData=[{MetricName=m Value=1 Timestamp=$old}] ! \
          InvalidParameterValueException: The parameter MetricData.member.1.Timestamp must specify \
          a time no more than two weeks in the past.
        PutMetricData Namespace=N MetricData=[{MetricName=m Value=1 Timestamp=$new}] ! \
          InvalidParameterValueException
        ListMetrics Namespace=N = Metrics=[]
        rows metric/ = 0
    "

    series_are_bounded (Options { series_max: 10, ..Options::default() }): "
        8x PutMetricData Namespace=N MetricData=[{MetricName=m$i Value=1}]
        PutMetricData Namespace=N MetricData=[{MetricName=x Value=1}] ! LimitExceededFault
        PutMetricData Namespace=N MetricData=[{MetricName=m1 Value=1}]
        @111122223333 PutMetricData Namespace=N MetricData=[{MetricName=x Value=1}]
    "

    math: "
        minute -60 = $from ; minute 60 = $to ; minute = $t
        PutMetricData Namespace=N MetricData=[{MetricName=a Value=6} {MetricName=b Value=3}]
        GetMetricData StartTime=$from EndTime=$to MetricDataQueries=[{Id=a ReturnData=false \
          MetricStat={Metric={Namespace=N MetricName=a} Period=60 Stat=Sum}} {Id=e Expression='a/b' \
          Label=ratio} {Id=b MetricStat={Metric={Namespace=N MetricName=b} Period=60 Stat=Sum}}]
            = MetricDataResults=[{Id=e Label=ratio Values=[2.0] Timestamps=[$t] \
              StatusCode=Complete} {Id=b Label=b Values=[3.0]}]
        GetMetricData StartTime=$from EndTime=$to MetricDataQueries=[{Id=e Expression='f*2'} {Id=f \
          Expression='e/2'}] ! ValidationException: Error in expression 'e': it needs its own value.
        GetMetricData StartTime=$from EndTime=$to MetricDataQueries=[{Id=e Expression='1+1'}] ! \
          ValidationException: Error in expression 'e': the result must be a time series.
        GetMetricData StartTime=$to EndTime=$from MetricDataQueries=[{Id=e Expression='1'}] ! \
          ValidationException: The parameter StartTime must be less than the parameter EndTime.
    "

    times_of_any_size: "
        GetMetricStatistics Namespace=N MetricName=m StartTime=-9e15 EndTime=9e15 Period=60 \
          Statistics=[Sum] ! InvalidParameterCombinationException
        GetMetricStatistics Namespace=N MetricName=m StartTime=8e15 EndTime=9e15 Period=60 \
          Statistics=[Sum] ! InvalidParameterValueException
        GetMetricData StartTime=0 EndTime=9e15 MetricDataQueries=[{Id=a MetricStat={Metric={\
          Namespace=N MetricName=m} Period=86400 Stat=Sum}}] ! ValidationException
        GetMetricData StartTime=0 EndTime=9e15 MetricDataQueries=[{Id=a MetricStat={Metric={\
          Namespace=N MetricName=m} Period=2147483640 Stat=Sum}}] = MetricDataResults.length=1
    "

    pages_of_data: "
        now = $now
        3x pass 60000 ; PutMetricData Namespace=N MetricData=[{MetricName=a Value=$i} \
          {MetricName=b Value=$i}]
        minute -180 = $from ; minute 60 = $to
        let queries MetricDataQueries=[{Id=a MetricStat={Metric={Namespace=N MetricName=a} Period=60 \
          Stat=Sum}} {Id=b MetricStat={Metric={Namespace=N MetricName=b} Period=60 Stat=Sum}}]
        GetMetricData StartTime=$from EndTime=$to MaxDatapoints=2 $queries = \
          MetricDataResults=[{Id=a Values=[2.0 1.0] StatusCode=PartialData}] NextToken=$one
        GetMetricData StartTime=$from EndTime=$to MaxDatapoints=2 NextToken='$one' $queries = \
          MetricDataResults=[{Id=a Values=[0.0] StatusCode=Complete} {Id=b Values=[2.0] \
          StatusCode=PartialData}] NextToken=$two
        GetMetricData StartTime=$from EndTime=$to MaxDatapoints=2 NextToken='$two' $queries = \
          MetricDataResults=[{Id=b Values=[1.0 0.0] StatusCode=Complete}] NextToken=null
        GetMetricData StartTime=$from EndTime=$to ScanBy=TimestampAscending $queries = \
          MetricDataResults=[{Values=[0.0 1.0 2.0]} {Values=[0.0 1.0 2.0]}]
        GetMetricData StartTime=$from EndTime=$to NextToken=x $queries ! InvalidNextToken
    "

    labels_of_one_metric_are_told_apart: "
        minute -60 = $from ; minute 60 = $to
        GetMetricData StartTime=$from EndTime=$to MetricDataQueries=[{Id=a \
          MetricStat={Metric={Namespace=N MetricName=m} Period=60 Stat=Sum}} {Id=b \
          MetricStat={Metric={Namespace=N MetricName=m} Period=60 Stat=Average}}] = \
          MetricDataResults=[{Label='m Sum' Values=[] Timestamps=[]} {Label='m Average'}]
    "

    points_within_a_minute: "
        minute = $t ; minute 60 = $to
        PutMetricData Namespace=N MetricData=[{MetricName=m Value=1 StorageResolution=1 \
          Timestamp=$t}]
        pass 10000 ; now = $u
        PutMetricData Namespace=N MetricData=[{MetricName=m Value=2 StorageResolution=1 \
          Timestamp=$u}]
        GetMetricStatistics Namespace=N MetricName=m StartTime=$t EndTime=$to Period=10 \
          Statistics=[Sum] = Datapoints.length=2
        GetMetricStatistics Namespace=N MetricName=m StartTime=$t EndTime=$to Period=60 \
          Statistics=[Sum] = Datapoints=[{Sum=3.0}]
    "

    alike_for_policies: "
        allow cloudwatch:ListMetrics *
        ListMetrics
        PutMetricData Namespace=N MetricData=[{MetricName=m Value=1}] ! AccessDeniedException: \
          User: arn:aws:iam::000000000000:user/ann is not authorized to perform: \
          cloudwatch:PutMetricData on resource: * because no identity-based policy allows the \
          cloudwatch:PutMetricData action
    "
}

/// Points go to blocks each hour, and are read from both, after a restart as well; what is older is
/// there in coarser periods alone.
#[test]
fn points_over_hours_and_weeks() {
    run_with::<CloudWatch, _>(Options::default(), async |house| {
        house.check("settle ; minute = $t ; minute -60 = $before").await;
        let put = "PutMetricData Namespace=N MetricData=[{MetricName=m Value=2 Timestamp=$t} \
                   {MetricName=h Values=[1 5]}]";
        house.check(put).await;
        house.check(HOUR).await;
        house.check("rows block/1/ = 1 \n rows block/0/ = 0 \n rows block/3/ = 1").await;
        // Late ones of the same minute.
        house.check(put).await;
        let read = "minute 60 = $to \n GetMetricStatistics Namespace=N MetricName=m \
                    StartTime=$before EndTime=$to Period=60 Statistics=[Sum SampleCount] \
                    = Datapoints=[{Sum=4.0 SampleCount=2.0 Timestamp=$t}]";
        house.check(read).await;
        house.check("restart ; settle").await;
        house.check(&read.replace("$to", "$to2")).await;
        house.check(HOUR).await;
        house.check(&read.replace("$to", "$to3")).await;
        house.check("restart \n rows block/1/ = 2").await;
        house.check(&read.replace("$to", "$to4")).await;
        // Ten days later at one minute, twenty at five, seventy at one hour; then nowhere.
        let at = |period: u32, to: &str, count: u32| {
            format!(
                "minute 60 = ${to} \n GetMetricStatistics Namespace=N MetricName=m \
                 StartTime=$before EndTime=${to} Period={period} Statistics=[Sum] = \
                 Datapoints.length={count}"
            )
        };
        let days = |days: u64| format!("pass {} ; settle", days * 86_400_000);
        house.check(&days(1)).await;
        house.check(&at(300, "a", 1)).await;
        house.check("ListMetrics Namespace=N = Metrics.length=2").await;
        house.check(&days(19)).await;
        house.check("minute 60 = $y").await;
        let statistics =
            "GetMetricStatistics Namespace=N MetricName=m StartTime=$before EndTime=$y";
        house.check(&format!("{statistics} Period=86400 Statistics=[Sum] = Datapoints=[_]")).await;
        house.check(&format!("{statistics} Period=3660 Statistics=[Sum] = Datapoints=[]")).await;
        house.check("ListMetrics Namespace=N = Metrics=[]").await;
        house.check("rows block/1/ = 0 \n rows block/2/ = 2").await;
        house.check(&days(60)).await;
        house.check("rows block/2/ = 0 \n rows block/3/ = 2 \n minute 60 = $z").await;
        let statistics = statistics.replace("$y", "$z");
        house.check(&format!("{statistics} Period=86400 Statistics=[Sum] = Datapoints=[_]")).await;
        house.check(&format!("{statistics} Period=86700 Statistics=[Sum] = Datapoints=[]")).await;
        house.check(&days(400)).await;
        house.check("rows block/ = 0 \n rows metric/ = 0").await;
    });
}

/// Points on the disk have a bound; the oldest of the resolution that takes most go first.
#[test]
fn points_on_the_disk_are_bounded() {
    let options = Options { points_bytes_max: 3000, ..Options::default() };
    run_with::<CloudWatch, _>(options, async |house| {
        house.check("settle").await;
        for _ in 0..9 {
            house
                .check("30x PutMetricData Namespace=N MetricData=[{MetricName=m Value=$i}] ; pass 60000")
                .await;
            house.check(HOUR).await;
        }
        house.check("rows block/1/ = 9 \n rows block/3/ = 9").await;
        let is_whole = house.holds("rows block/2/ = 9").await;
        assert!(!is_whole, "some of the tier that takes most are gone");
    });
}

static CALLS: Definition = Definition {
    name: "millweir_test_calls",
    help: "Calls.",
    aws: &[metric("Calls", false), metric("Enhanced", true)],
};
static GROWS: Definition =
    Definition { name: "millweir_test_total", help: "All.", aws: &[metric("Total", false)] };

const fn metric(name: &'static str, is_enhanced: bool) -> AwsMetric {
    AwsMetric {
        namespace: "AWS/Test",
        name,
        unit: "Milliseconds",
        scale: 0.5,
        dimensions: &[("stream", "StreamName")],
        only: &[],
        is_enhanced,
    }
}

/// The server's own numbers are metrics of their accounts, a minute each.
#[test]
fn own_numbers_are_metrics() {
    run_with::<CloudWatch, _>(Options::default(), async |house| {
        let labels = |stream, shard| {
            [("account", "000000000000"), ("region", "us-east-1"), ("stream", stream), shard]
        };
        let registry = house.home.registry.clone();
        let calls = registry.summary(&CALLS, &labels("s", ("shard", "0")));
        let totals = ["0", "1"].map(|n| registry.counter(&GROWS, &labels("s", ("shard", n))));
        house.check("minute -60 = $from ; settle").await;
        calls.observe(2);
        calls.observe(6);
        totals.iter().for_each(|total| total.add(5));
        house.check("pass 60000 ; settle ; minute 60 = $to").await;
        let read = |name: &str, want: &str| {
            format!(
                "GetMetricStatistics Namespace='AWS/Test' MetricName={name} Dimensions=[{{Name=\
                 StreamName Value=s}}] StartTime=$from EndTime=$to Period=60 Statistics=[Sum \
                 SampleCount Minimum Maximum] = Datapoints=[{want}]"
            )
        };
        let want = "{Sum=4.0 SampleCount=2.0 Minimum=1.0 Maximum=3.0 Unit=Milliseconds}";
        house.check(&read("Calls", want)).await;
        house.check(&read("Total", "{Sum=5.0 SampleCount=1.0}")).await;
        house.check(&read("Enhanced", "")).await;
        // What did not happen has no point; a restart counts nothing twice.
        house.check("pass 60000 ; settle").await;
        house.check(&read("Total", "{Sum=5.0}")).await;
        registry.enhance("AWS/Test", |metric, _| metric.name == "Enhanced");
        calls.observe(8);
        house.check("restart ; settle ; pass 60000 ; settle").await;
        house.check("ListMetrics Namespace='AWS/Test' = Metrics.length=2").await;
        calls.observe(8);
        house.check("pass 60000 ; settle").await;
        house.check("ListMetrics Namespace='AWS/Test' = Metrics.length=3").await;
    });
}
