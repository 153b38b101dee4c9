#include "support/kube_schema.h"

/* What a Job is made of that runs one container, and what the server fills in. */
#define POD "spec.template.spec"
#define C   POD ".containers[]"
#define META(path)                                                                                           \
    {path, KUBE_OBJECT, false}, {path ".name", KUBE_STRING, false}, {path ".labels", KUBE_MAP, false},       \
        {path ".labels{}", KUBE_STRING, false}, {path ".annotations", KUBE_MAP, false},                      \
        {path ".annotations{}", KUBE_STRING, false},                                                         \
    {                                                                                                        \
        path ".creationTimestamp", KUBE_STRING, false                                                        \
    }
#define KEY_OF(path)                                                                                         \
    {path, KUBE_OBJECT, false}, {path ".name", KUBE_STRING, false}, {path ".key", KUBE_STRING, true},        \
    {                                                                                                        \
        path ".optional", KUBE_BOOLEAN, false                                                                \
    }
#define SECURITY(path)                                                                                       \
    {path, KUBE_OBJECT, false}, {path ".runAsNonRoot", KUBE_BOOLEAN, false},                                 \
        {path ".runAsUser", KUBE_INTEGER, false}, {path ".runAsGroup", KUBE_INTEGER, false},                 \
        {path ".seccompProfile", KUBE_OBJECT, false},                                                        \
    {                                                                                                        \
        path ".seccompProfile.type", KUBE_STRING, true                                                       \
    }

const struct kube_field kube_job_fields[] = {
    {"", KUBE_OBJECT, false},
    {"apiVersion", KUBE_STRING, false},
    {"kind", KUBE_STRING, false},
    META("metadata"),
    {"metadata.generateName", KUBE_STRING, false},
    {"metadata.namespace", KUBE_STRING, false},
    {"metadata.uid", KUBE_STRING, false},
    {"metadata.resourceVersion", KUBE_STRING, false},
    {"metadata.generation", KUBE_INTEGER, false},
    {"metadata.finalizers", KUBE_ARRAY, false},
    {"metadata.finalizers[]", KUBE_STRING, false},
    {"metadata.ownerReferences", KUBE_ARRAY, false},
    {"metadata.ownerReferences[]", KUBE_OBJECT, false},
    {"metadata.ownerReferences[].apiVersion", KUBE_STRING, true},
    {"metadata.ownerReferences[].kind", KUBE_STRING, true},
    {"metadata.ownerReferences[].name", KUBE_STRING, true},
    {"metadata.ownerReferences[].uid", KUBE_STRING, true},
    {"metadata.ownerReferences[].controller", KUBE_BOOLEAN, false},
    {"metadata.ownerReferences[].blockOwnerDeletion", KUBE_BOOLEAN, false},
    {"spec", KUBE_OBJECT, false},
    {"spec.activeDeadlineSeconds", KUBE_INTEGER, false},
    {"spec.backoffLimit", KUBE_INTEGER, false},
    {"spec.completions", KUBE_INTEGER, false},
    {"spec.completionMode", KUBE_STRING, false},
    {"spec.parallelism", KUBE_INTEGER, false},
    {"spec.podReplacementPolicy", KUBE_STRING, false},
    {"spec.suspend", KUBE_BOOLEAN, false},
    {"spec.manualSelector", KUBE_BOOLEAN, false},
    {"spec.ttlSecondsAfterFinished", KUBE_INTEGER, false},
    {"spec.podFailurePolicy", KUBE_OBJECT, false},
    {"spec.podFailurePolicy.rules", KUBE_ARRAY, true},
    {"spec.podFailurePolicy.rules[]", KUBE_OBJECT, false},
    {"spec.podFailurePolicy.rules[].action", KUBE_STRING, true},
    {"spec.podFailurePolicy.rules[].onPodConditions", KUBE_ARRAY, false},
    {"spec.podFailurePolicy.rules[].onPodConditions[]", KUBE_OBJECT, false},
    {"spec.podFailurePolicy.rules[].onPodConditions[].type", KUBE_STRING, true},
    {"spec.podFailurePolicy.rules[].onPodConditions[].status", KUBE_STRING, true},
    {"spec.selector", KUBE_OBJECT, false},
    {"spec.selector.matchLabels", KUBE_MAP, false},
    {"spec.selector.matchLabels{}", KUBE_STRING, false},
    {"spec.template", KUBE_OBJECT, true},
    META("spec.template.metadata"),
    {POD, KUBE_OBJECT, false},
    {POD ".activeDeadlineSeconds", KUBE_INTEGER, false},
    {POD ".automountServiceAccountToken", KUBE_BOOLEAN, false},
    {POD ".dnsPolicy", KUBE_STRING, false},
    {POD ".enableServiceLinks", KUBE_BOOLEAN, false},
    {POD ".hostname", KUBE_STRING, false},
    {POD ".imagePullSecrets", KUBE_ARRAY, false},
    {POD ".imagePullSecrets[]", KUBE_OBJECT, false},
    {POD ".imagePullSecrets[].name", KUBE_STRING, false},
    {POD ".nodeName", KUBE_STRING, false},
    {POD ".nodeSelector", KUBE_MAP, false},
    {POD ".nodeSelector{}", KUBE_STRING, false},
    {POD ".preemptionPolicy", KUBE_STRING, false},
    {POD ".priority", KUBE_INTEGER, false},
    {POD ".priorityClassName", KUBE_STRING, false},
    {POD ".restartPolicy", KUBE_STRING, false},
    {POD ".runtimeClassName", KUBE_STRING, false},
    {POD ".schedulerName", KUBE_STRING, false},
    SECURITY(POD ".securityContext"),
    {POD ".securityContext.fsGroup", KUBE_INTEGER, false},
    {POD ".serviceAccount", KUBE_STRING, false},
    {POD ".serviceAccountName", KUBE_STRING, false},
    {POD ".terminationGracePeriodSeconds", KUBE_INTEGER, false},
    {POD ".tolerations", KUBE_ARRAY, false},
    {POD ".tolerations[]", KUBE_OBJECT, false},
    {POD ".tolerations[].effect", KUBE_STRING, false},
    {POD ".tolerations[].key", KUBE_STRING, false},
    {POD ".tolerations[].operator", KUBE_STRING, false},
    {POD ".tolerations[].tolerationSeconds", KUBE_INTEGER, false},
    {POD ".tolerations[].value", KUBE_STRING, false},
    {POD ".volumes", KUBE_ARRAY, false},
    {POD ".volumes[]", KUBE_OBJECT, false},
    {POD ".volumes[].name", KUBE_STRING, true},
    {POD ".volumes[].emptyDir", KUBE_OBJECT, false},
    {POD ".volumes[].emptyDir.medium", KUBE_STRING, false},
    {POD ".volumes[].emptyDir.sizeLimit", KUBE_QUANTITY, false},
    {POD ".containers", KUBE_ARRAY, true},
    {C, KUBE_OBJECT, false},
    {C ".args", KUBE_ARRAY, false},
    {C ".args[]", KUBE_STRING, false},
    {C ".command", KUBE_ARRAY, false},
    {C ".command[]", KUBE_STRING, false},
    {C ".env", KUBE_ARRAY, false},
    {C ".env[]", KUBE_OBJECT, false},
    {C ".env[].name", KUBE_STRING, true},
    {C ".env[].value", KUBE_STRING, false},
    {C ".env[].valueFrom", KUBE_OBJECT, false},
    {C ".env[].valueFrom.fieldRef", KUBE_OBJECT, false},
    {C ".env[].valueFrom.fieldRef.apiVersion", KUBE_STRING, false},
    {C ".env[].valueFrom.fieldRef.fieldPath", KUBE_STRING, true},
    KEY_OF(C ".env[].valueFrom.secretKeyRef"),
    {C ".image", KUBE_STRING, false},
    {C ".imagePullPolicy", KUBE_STRING, false},
    {C ".name", KUBE_STRING, true},
    {C ".resources", KUBE_OBJECT, false},
    {C ".resources.limits", KUBE_MAP, false},
    {C ".resources.limits{}", KUBE_QUANTITY, false},
    {C ".resources.requests", KUBE_MAP, false},
    {C ".resources.requests{}", KUBE_QUANTITY, false},
    SECURITY(C ".securityContext"),
    {C ".securityContext.allowPrivilegeEscalation", KUBE_BOOLEAN, false},
    {C ".securityContext.readOnlyRootFilesystem", KUBE_BOOLEAN, false},
    {C ".securityContext.privileged", KUBE_BOOLEAN, false},
    {C ".securityContext.capabilities", KUBE_OBJECT, false},
    {C ".securityContext.capabilities.add", KUBE_ARRAY, false},
    {C ".securityContext.capabilities.add[]", KUBE_STRING, false},
    {C ".securityContext.capabilities.drop", KUBE_ARRAY, false},
    {C ".securityContext.capabilities.drop[]", KUBE_STRING, false},
    {C ".terminationMessagePath", KUBE_STRING, false},
    {C ".terminationMessagePolicy", KUBE_STRING, false},
    {C ".volumeMounts", KUBE_ARRAY, false},
    {C ".volumeMounts[]", KUBE_OBJECT, false},
    {C ".volumeMounts[].mountPath", KUBE_STRING, true},
    {C ".volumeMounts[].name", KUBE_STRING, true},
    {C ".volumeMounts[].readOnly", KUBE_BOOLEAN, false},
    {C ".workingDir", KUBE_STRING, false},
    {"status", KUBE_ANY, false},
};

const size_t kube_job_fields_count = sizeof kube_job_fields / sizeof *kube_job_fields;
