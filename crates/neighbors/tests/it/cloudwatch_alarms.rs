//! Alarms, their history, dashboards and tags.

use crate::house::{cases, run_with};
use neighbors::cloudwatch::{self, CloudWatch, Options};
use testkit::script::Stage as _;

const HIGH: &str = "PutMetricAlarm AlarmName=high Namespace=N MetricName=m Statistic=Sum Period=60 \
                    EvaluationPeriods=1 Threshold=5 ComparisonOperator=GreaterThanThreshold";
const PUT: &str = "PutMetricData Namespace=N MetricData=[{MetricName=m Value=";

/// A minute in which a value comes, and the turn that sees it.
fn minute(value: &str) -> String {
    format!("{PUT}{value}}}] ; pass 60000 ; settle")
}

fn state(state: &str) -> String {
    format!("DescribeAlarms AlarmNames=[high] = MetricAlarms=[{{StateValue={state}}}]")
}

cases! { CloudWatch
    a_new_alarm: "
        PutMetricAlarm AlarmName=high Namespace=N MetricName=m Statistic=Sum Period=60 \
          EvaluationPeriods=1 Threshold=5 ComparisonOperator=GreaterThanThreshold \
          Dimensions=[{Name=d Value=v}] Tags=[{Key=k Value=v}]
        DescribeAlarms = MetricAlarms=[{AlarmName=high \
          AlarmArn='arn:aws:cloudwatch:us-east-1:000000000000:alarm:high' ActionsEnabled=true \
          OKActions=[] AlarmActions=[] InsufficientDataActions=[] StateValue=INSUFFICIENT_DATA \
          StateReason='Unchecked: Initial alarm creation' MetricName=m Namespace=N Statistic=Sum \
          Dimensions=[{Name=d Value=v}] Period=60 EvaluationPeriods=1 Threshold=5.0 \
          ComparisonOperator=GreaterThanThreshold TreatMissingData=null DatapointsToAlarm=null \
          Metrics=null StateUpdatedTimestamp=_}] CompositeAlarms=[]
        DescribeAlarmHistory AlarmName=high = AlarmHistoryItems=[{AlarmName=high \
          AlarmType=MetricAlarm HistoryItemType=ConfigurationUpdate HistorySummary='Alarm \"high\" created'}]
        ListTagsForResource ResourceARN='arn:aws:cloudwatch:us-east-1:000000000000:alarm:high' \
          = Tags=[{Key=k Value=v}]
        TagResource ResourceARN='arn:aws:cloudwatch:us-east-1:000000000000:alarm:high' \
          Tags=[{Key=l Value=w}]
        UntagResource ResourceARN='arn:aws:cloudwatch:us-east-1:000000000000:alarm:high' TagKeys=[k]
        restart
        ListTagsForResource ResourceARN='arn:aws:cloudwatch:us-east-1:000000000000:alarm:high' \
          = Tags=[{Key=l Value=w}]
        DescribeAlarmsForMetric Namespace=N MetricName=m Dimensions=[{Name=d Value=v}] \
          = MetricAlarms.length=1
        DescribeAlarmsForMetric Namespace=N MetricName=m = MetricAlarms=[]
        DeleteAlarms AlarmNames=[high none]
        DescribeAlarms = MetricAlarms=[]
        DescribeAlarmHistory = AlarmHistoryItems=[{HistorySummary='Alarm \"high\" deleted'} {}]
        ListTagsForResource ResourceARN='arn:aws:cloudwatch:us-east-1:000000000000:alarm:high' \
          ! ResourceNotFoundException
        rows alarm/ = 0
        rows tags/ = 0
    "

    alarms_that_cannot_be: "
        let base PutMetricAlarm AlarmName=a Namespace=N MetricName=m EvaluationPeriods=1 Threshold=5
        $base Statistic=Sum Period=60 ! ValidationException: ComparisonOperator must be specified \
          for this alarm.
        $base Period=60 ComparisonOperator=GreaterThanThreshold ! ValidationException
        $base Statistic=Sum Period=61 ComparisonOperator=GreaterThanThreshold ! \
          ValidationException: Period must be 10, 20, 30 or a multiple of 60
        $base Statistic=Sum Period=5 ComparisonOperator=GreaterThanThreshold ! ValidationException
        $base Statistic=Sum Period=60 ComparisonOperator=GreaterThanThreshold DatapointsToAlarm=2 ! \
          ValidationException
        $base Statistic=Sum Period=172800 ComparisonOperator=GreaterThanThreshold
        $base Statistic=Sum Period=691200 ComparisonOperator=GreaterThanThreshold ! \
          ValidationException
        $base Statistic=Sum Period=60 ComparisonOperator=GreaterThanUpperThreshold ! \
          ValidationException: ComparisonOperator GreaterThanUpperThreshold is not supported by \
          this server.
        $base Statistic=Sum Period=60 ComparisonOperator=GreaterThanThreshold \
          TreatMissingData=no ! ValidationException: Option no is not supported. Supported options \
          for TreatMissingData are [breaching, notBreaching, ignore, missing].
        $base Statistic=Sum Period=60 ComparisonOperator=GreaterThanThreshold AlarmActions=[x] ! \
          ValidationException: Invalid arn syntax: x. This server's alarms tell topics of SNS, and \
          call URLs.
        SetAlarmState AlarmName=none StateValue=OK StateReason=x ! ResourceNotFound
        SetAlarmState AlarmName=a StateValue=OK StateReason=x StateReasonData=x ! InvalidFormatFault
    "

    alarms_are_bounded (Options { alarms_max: 1, ..Options::default() }): "
        PutCompositeAlarm AlarmName=a AlarmRule=TRUE
        PutCompositeAlarm AlarmName=b AlarmRule=TRUE ! LimitExceededFault
        PutCompositeAlarm AlarmName=a AlarmRule=FALSE
        @000000000000/eu-west-1 PutCompositeAlarm AlarmName=b AlarmRule=TRUE
    "

    composite_alarms_follow: "
        PutCompositeAlarm AlarmName=all AlarmRule='ALARM(a) AND ALARM(b)' ! ValidationException
        PutMetricAlarm AlarmName=a Namespace=N MetricName=a Statistic=Sum Period=60 \
          EvaluationPeriods=1 Threshold=5 ComparisonOperator=GreaterThanThreshold
        PutMetricAlarm AlarmName=b Namespace=N MetricName=b Statistic=Sum Period=60 \
          EvaluationPeriods=1 Threshold=5 ComparisonOperator=GreaterThanThreshold
        PutCompositeAlarm AlarmName=all AlarmRule='ALARM(a) AND ALARM(b)'
        PutCompositeAlarm AlarmName=over AlarmRule='NOT ALARM(all)'
        DescribeAlarms AlarmTypes=[CompositeAlarm] = CompositeAlarms=[{AlarmName=all \
          StateValue=OK AlarmRule='ALARM(a) AND ALARM(b)'} {AlarmName=over StateValue=ALARM}]
        SetAlarmState AlarmName=a StateValue=ALARM StateReason=x
        DescribeAlarms AlarmTypes=[CompositeAlarm] = CompositeAlarms=[{StateValue=OK} {}]
        SetAlarmState AlarmName=b StateValue=ALARM StateReason=x
        DescribeAlarms AlarmTypes=[CompositeAlarm] = CompositeAlarms=[{StateValue=ALARM} \
          {StateValue=OK}]
        DescribeAlarmHistory AlarmTypes=[CompositeAlarm] AlarmName=all \
          HistoryItemType=StateUpdate = AlarmHistoryItems=[{HistorySummary='Alarm updated from OK \
          to ALARM'} {HistorySummary='Alarm updated from INSUFFICIENT_DATA to OK'}]
        DescribeAlarms ChildrenOfAlarmName=all = MetricAlarms=[{AlarmName=a} {AlarmName=b}]
        DescribeAlarms ParentsOfAlarmName=all = CompositeAlarms=[{AlarmName=over}]
        DeleteAlarms AlarmNames=[a] ! ValidationException: Cannot delete a as there are \
          composite alarm(s) depending on it.
        DeleteAlarms AlarmNames=[all over] ! ValidationException
        PutMetricAlarm AlarmName=all Namespace=N MetricName=b Statistic=Sum Period=60 \
          EvaluationPeriods=1 Threshold=5 ComparisonOperator=GreaterThanThreshold ! \
          ValidationException: There is an alarm all of another type.
    "

    /// The usual pattern of an alarm that another one keeps quiet.
    what_holds_for_a_moment_is_not_told: "
        PutMetricAlarm AlarmName=a Namespace=N MetricName=m Statistic=Sum Period=60 Threshold=1.0 \
          EvaluationPeriods=1 ComparisonOperator=GreaterThanThreshold
        SetAlarmState AlarmName=a StateValue=OK StateReason=r
        PutCompositeAlarm AlarmName=late AlarmRule='ALARM(a)'
        PutCompositeAlarm AlarmName=b AlarmRule='ALARM(a) AND NOT ALARM(late)'
        DescribeAlarms AlarmTypes=[CompositeAlarm] = CompositeAlarms=[{StateValue=OK} {StateValue=OK}]
        SetAlarmState AlarmName=a StateValue=ALARM StateReason=r
        DescribeAlarms AlarmTypes=[CompositeAlarm] = CompositeAlarms=[{AlarmName=b StateValue=OK} \
          {AlarmName=late StateValue=ALARM}]
        DescribeAlarmHistory AlarmName=b AlarmTypes=[CompositeAlarm] HistoryItemType=StateUpdate = \
          AlarmHistoryItems.length=1
        SetAlarmState AlarmName=late StateValue=OK StateReason=r
        DescribeAlarms AlarmNames=[b] AlarmTypes=[CompositeAlarm] = CompositeAlarms=[{StateValue=ALARM}]
        PutCompositeAlarm AlarmName='x:alarm:y' AlarmRule='ALARM(b)'
        PutCompositeAlarm AlarmName=z AlarmRule='ALARM(\"x:alarm:y\")'
        DescribeAlarms AlarmNames=[z] AlarmTypes=[CompositeAlarm] = CompositeAlarms=[{StateValue=ALARM}]
        DeleteAlarms AlarmNames=['x:alarm:y'] ! ValidationException
    "

    rules_in_a_circle_come_to_an_end: "
        PutCompositeAlarm AlarmName=a AlarmRule=FALSE
        PutCompositeAlarm AlarmName=b AlarmRule='NOT ALARM(a)'
        PutCompositeAlarm AlarmName=a AlarmRule='ALARM(b)'
        PutCompositeAlarm AlarmName=c AlarmRule='NOT ALARM(c2)' ! ValidationException
        SetAlarmState AlarmName=b StateValue=OK StateReason=r
        DescribeAlarms AlarmTypes=[CompositeAlarm] = CompositeAlarms.length=2
    "

    history_is_bounded_for_an_account: "
        PutCompositeAlarm AlarmName=a AlarmRule=TRUE
        6000x SetAlarmState AlarmName=a StateValue=OK StateReason=r ; SetAlarmState AlarmName=a StateValue=ALARM StateReason=r
        rows history/ = 10000
        @000000000000/eu-west-1 PutCompositeAlarm AlarmName=a AlarmRule=TRUE
        rows history/ = 10000
    "

    pages_of_alarms: "
        105x PutCompositeAlarm AlarmName=c$i AlarmRule=TRUE
        DescribeAlarms AlarmTypes=[CompositeAlarm] = CompositeAlarms.length=100 NextToken=$token
        DescribeAlarms AlarmTypes=[CompositeAlarm] NextToken='$token' = CompositeAlarms.length=5 \
          NextToken=null
        DescribeAlarms AlarmNamePrefix=c10 AlarmTypes=[CompositeAlarm] = CompositeAlarms.length=6
        DescribeAlarms MaxRecords=101 ! ValidationException
        DescribeAlarms NextToken=x ! InvalidNextToken
        DescribeAlarmHistory AlarmTypes=[CompositeAlarm] HistoryItemType=StateUpdate = \
          AlarmHistoryItems.length=100 NextToken=$more
        DescribeAlarmHistory AlarmTypes=[CompositeAlarm] HistoryItemType=StateUpdate \
          NextToken='$more' = AlarmHistoryItems.length=5 NextToken=null
    "

    dashboards: "
        PutDashboard DashboardName=d DashboardBody='{}' = DashboardValidationMessages=[]
        GetDashboard DashboardName=d = DashboardBody='{}' DashboardName=d \
          DashboardArn='arn:aws:cloudwatch::000000000000:dashboard/d'
        GetDashboard DashboardName=none ! DashboardNotFoundError: Dashboard none does not exist
        PutDashboard DashboardName=d DashboardBody=x ! DashboardInvalidInputError
        PutDashboard DashboardName='a b' DashboardBody='{}' ! InvalidParameterValueException
        PutDashboard DashboardName=e DashboardBody='{}'
        ListDashboards DashboardNamePrefix=e = DashboardEntries=[{DashboardName=e Size=2 \
          LastModified=_}]
        restart
        DeleteDashboards DashboardNames=[d none] ! DashboardNotFoundError
        ListDashboards = DashboardEntries.length=2
        DeleteDashboards DashboardNames=[d e]
        ListDashboards = DashboardEntries=[]
        rows dashboard/ = 0
    "

    dashboards_are_bounded (Options { dashboards_bytes_max: 5, ..Options::default() }): "
        PutDashboard DashboardName=d DashboardBody='{    }' ! InvalidParameterValueException
        PutDashboard DashboardName=d DashboardBody='{}'
        PutDashboard DashboardName=d DashboardBody='{   }'
        PutDashboard DashboardName=e DashboardBody='{}' ! InvalidParameterValueException
    "
}

/// States follow the points, each change is told once, and a restart changes nothing.
#[test]
fn an_alarm_goes_off_and_back() {
    run_with::<CloudWatch, _>(Options::default(), async |house| {
        house.check("settle").await;
        let action = "arn:aws:sns:us-east-1:000000000000:t";
        house.check(&format!("{HIGH} AlarmActions=['{action}']")).await;
        house.check(&minute("4")).await;
        house.check(&state("OK")).await;
        house.check(&minute("6")).await;
        house.check(&state("ALARM")).await;
        house.check("restart ; settle").await;
        house.check(&minute("7")).await;
        house.check(&state("ALARM")).await;
        let reason = "DescribeAlarms StateValue=ALARM = MetricAlarms.StateReason=$reason";
        house.check(reason).await;
        house.check(&minute("1")).await;
        house.check(&state("OK")).await;
        house
            .check(
                "DescribeAlarmHistory AlarmName=high ScanBy=TimestampAscending = \
                 AlarmHistoryItems=[{HistorySummary='Alarm \"high\" created'} \
                 {HistorySummary='Alarm updated from INSUFFICIENT_DATA to OK' \
                 HistoryItemType=StateUpdate} \
                 {HistorySummary='Alarm updated from OK to ALARM'} {HistoryItemType=Action \
                 HistorySummary='Failed to execute action arn:aws:sns:us-east-1:000000000000:t'} \
                 {HistorySummary='Alarm updated from ALARM to OK'}]",
            )
            .await;
        // Nothing comes any more.
        for _ in 0..4 {
            house.check("pass 60000 ; settle").await;
        }
        house.check(&state("INSUFFICIENT_DATA")).await;
        // History goes after thirty days, the alarm stays.
        house.check("pass 2592000000 ; settle ; pass 3600000 ; settle").await;
        house.check("DescribeAlarmHistory = AlarmHistoryItems=[]").await;
        house.check(&state("INSUFFICIENT_DATA")).await;
    });
}

/// A state that somebody set lasts until the next evaluation says otherwise; a configuration keeps it.
#[test]
fn a_state_that_was_set() {
    run_with::<CloudWatch, _>(Options::default(), async |house| {
        house.check("settle").await;
        house.check(HIGH).await;
        house.check("SetAlarmState AlarmName=high StateValue=ALARM StateReason=test").await;
        house.check("DescribeAlarms = MetricAlarms=[{StateValue=ALARM StateReason=test}]").await;
        house.check(&format!("{HIGH} AlarmDescription=x")).await;
        house.check(&state("ALARM")).await;
        house.check(&minute("1")).await;
        house.check(&state("OK")).await;
        house.check("DisableAlarmActions AlarmNames=[high none]").await;
        house.check("DescribeAlarms = MetricAlarms=[{ActionsEnabled=false}]").await;
        house.check("EnableAlarmActions AlarmNames=[high]").await;
        house.check("DescribeAlarms = MetricAlarms=[{ActionsEnabled=true}]").await;
    });
}

/// The reason names the alarm that the rule names, and a start looks at a rule that nobody may have
/// looked at since it was put.
#[test]
fn composite_alarms_name_their_causes_and_catch_up() {
    run_with::<CloudWatch, _>(Options::default(), async |house| {
        house.check("settle").await;
        house.check(HIGH).await;
        house.check("PutCompositeAlarm AlarmName=all AlarmRule='ALARM(high)'").await;
        house.check("PutCompositeAlarm AlarmName=over AlarmRule='ALARM(all)'").await;
        house.check("SetAlarmState AlarmName=high StateValue=ALARM StateReason=test").await;
        let over = "DescribeAlarms AlarmNames=[over] AlarmTypes=[CompositeAlarm]";
        let shown = house.act(over).await.unwrap();
        let reason = shown["CompositeAlarms"][0]["StateReason"].as_str().unwrap();
        let start = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:all transitioned to ALARM at ";
        assert!(reason.starts_with(start), "{reason}");
        let lost = ("\"state\":\"ALARM\"", "\"state\":\"INSUFFICIENT_DATA\"");
        let row = "alarm/000000000000/us-east-1/over";
        house.home.rewrite(cloudwatch::SERVICE, row, lost).await;
        house.check("restart ; settle").await;
        house.check(&format!("{over} = CompositeAlarms=[{{StateValue=ALARM}}]")).await;
    });
}

/// Alarms over expressions, and with periods under a minute.
#[test]
fn alarms_of_expressions_and_short_periods() {
    run_with::<CloudWatch, _>(Options::default(), async |house| {
        house.check("settle").await;
        house
            .check(
                "PutMetricAlarm AlarmName=high EvaluationPeriods=1 Threshold=5 \
                 ComparisonOperator=GreaterThanThreshold Metrics=[{Id=m ReturnData=false \
                 MetricStat={Metric={Namespace=N MetricName=m} Period=60 Stat=Sum}} {Id=e \
                 Expression='m*2' Label=twice}]",
            )
            .await;
        house
            .check(
                "DescribeAlarms = MetricAlarms=[{MetricName=null Metrics=[{Id=m ReturnData=false} \
                 {Id=e Expression='m*2' Label=twice}]}]",
            )
            .await;
        house.check(&minute("3")).await;
        house.check(&state("ALARM")).await;
        house
            .check(
                "PutMetricAlarm AlarmName=short Namespace=N MetricName=s Statistic=Sum Period=10 \
                 EvaluationPeriods=1 Threshold=5 ComparisonOperator=GreaterThanThreshold \
                 TreatMissingData=notBreaching",
            )
            .await;
        let put =
            "PutMetricData Namespace=N MetricData=[{MetricName=s StorageResolution=1 Value=9}]";
        house.check(&format!("{put} ; pass 10000 ; settle")).await;
        let short = "DescribeAlarms AlarmNames=[short] = MetricAlarms=[{StateValue=";
        house.check(&format!("{short}ALARM}}]")).await;
        for _ in 0..4 {
            house.check("pass 10000 ; settle").await;
        }
        house.check(&format!("{short}OK}}]")).await;
    });
}
