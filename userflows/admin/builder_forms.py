"""The forms of the flow builder: one page, several forms, saved together."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.pages import PlainLabels, PlainModelForm
from directory.identity_provider_health import is_usable, problems_of
from directory.models import Application, IdentityProvider, UserAttribute
from userflows.admin.question_forms import PREFIX, BaseQuestions, QuestionForm, Questions, initial_of
from userflows.definition import Definition, assemble, definition_of
from userflows.models import ApplicationAssignment, AttributeAssignment, UserFlow

# Lists longer than this are no help on this page: the applications have a page of their own.
MAX_SHOWN_APPLICATIONS = 100


class BasicsForm(PlainModelForm):
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    questions_heading = forms.CharField(
        label=_("Heading above the questions"),
        max_length=100,
        required=False,
        help_text=_("Empty: “Your details”. It stands on the first page of questions; others have their own."),
    )

    class Meta:
        model = UserFlow
        fields = (
            *("description", "heading", "introduction", "admission", "domains"),
            *("code_length", "code_minutes", "code_sender"),
        )
        widgets = {
            "introduction": forms.Textarea(attrs={"rows": 3}),
            "admission": forms.RadioSelect,
            "domains": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        }

    def clean_introduction(self) -> str:
        return str(self.cleaned_data["introduction"]).replace("\r\n", "\n")


class WaysForm(PlainLabels, forms.Form):
    """A checkbox and a place for each identity provider of the tenant. What isn't the tenant's has no field here."""

    def __init__(self, *args: Any, providers: list[IdentityProvider], chosen: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = {pk: place for place, pk in enumerate(chosen)}
        self.providers = sorted(providers, key=lambda provider: places.get(provider.pk, len(places)))
        for place, provider in enumerate(self.providers, start=1):
            is_offered = provider.pk in places
            self.fields[f"{provider.pk}-offered"] = forms.BooleanField(
                label=provider.name,
                required=False,
                initial=is_offered,
                # What nobody can sign in with can be taken out, and not be added.
                disabled=not is_offered and not (provider.is_enabled and is_usable(provider)),
            )
            self.fields[f"{provider.pk}-order"] = forms.IntegerField(
                label=_now("Place of %(name)s") % {"name": provider.name},
                required=False,
                min_value=0,
                max_value=10_000,
                initial=place,
            )

    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "provider": provider,
                "about": provider.about if provider.is_known_kind else None,
                "problems": problems_of(provider) if provider.is_enabled else [],
                "offered": self[f"{provider.pk}-offered"],
                "order": self[f"{provider.pk}-order"],
            }
            for provider in self.providers
        ]

    def offered(self) -> list[IdentityProvider]:
        """Return the ticked ones in their order."""
        values = self.cleaned_data
        ticked = [provider for provider in self.providers if values.get(f"{provider.pk}-offered")]
        return sorted(ticked, key=lambda provider: values.get(f"{provider.pk}-order") or 0)


class AssignmentsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def clean(self, value: Any) -> Any:
        for key in value or ():
            # Django asks the database for any number, and no database takes one that is too large for the column.
            ApplicationAssignment._meta.pk.clean(key, None)
        return super().clean(value)


class LinksForm(PlainLabels, forms.Form):
    """Applications: one to add, several to take out. It isn't part of the draft."""

    application = forms.ModelChoiceField(
        label=_("Add an application"), queryset=Application.objects.none(), required=False, empty_label=_("Choose …")
    )
    remove = AssignmentsField(label=_("Remove"), queryset=ApplicationAssignment.objects.none(), required=False)

    def __init__(self, *args: Any, user_flow: UserFlow, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user_flow = user_flow
        links = user_flow.application_assignments.select_related("application").order_by("application__name")
        self.linked = list(links[: MAX_SHOWN_APPLICATIONS + 1])
        self.is_cut = len(self.linked) > MAX_SHOWN_APPLICATIONS
        self.linked = self.linked[:MAX_SHOWN_APPLICATIONS]
        own = Application.objects.filter(tenant=user_flow.tenant_id, is_first_party=False)
        choose: Any = self.fields["application"]
        choose.queryset = own
        free = own.filter(flow_assignment=None).order_by("name")[:MAX_SHOWN_APPLICATIONS]
        choose.choices = [("", _now("Choose …")), *((application.pk, str(application)) for application in free)]
        remove: Any = self.fields["remove"]
        remove.queryset = user_flow.application_assignments.select_related("application")
        self.has_any = bool(self.linked) or own.exists()
        # The assignment of an application that another flow has, for the words and the link on the page.
        self.taken: ApplicationAssignment | None = None

    def clean_application(self) -> Application | None:
        application: Application | None = self.cleaned_data["application"]
        if application is None:
            return None
        taken = ApplicationAssignment.objects.filter(application=application).select_related("user_flow").first()
        if taken is not None and taken.user_flow_id != self.user_flow.pk:
            self.taken = taken
            words = _now("%(application)s uses the flow %(flow)s now, and an application has at most one.")
            raise forms.ValidationError(
                words, params={"application": application.name, "flow": taken.user_flow.name}, code="taken"
            )
        return None if taken else application


class BuilderForms:
    """All forms of the page of one flow. Unbound they show the draft; with `data` what was typed.

    `user_flow` is changed in memory by checking: what is saved is the verbs' business (userflows.publishing).
    """

    def __init__(self, user_flow: UserFlow, *, may_add_attributes: bool, data: Mapping[str, Any] | None = None) -> None:
        self.user_flow = user_flow
        self.live = user_flow.live_version
        tenant_id = user_flow.tenant_id
        providers = list(IdentityProvider.objects.filter(tenant=tenant_id))
        ways = list(user_flow.identity_provider_assignments.values_list("identity_provider", flat=True))
        # The address is always asked for, and checked, on the first page.
        attributes = UserAttribute.objects.filter(tenant=tenant_id).exclude(attribute_type="builtIn", name="Email")
        questions = list(user_flow.attribute_assignments.select_related("user_attribute"))
        options = {
            "user_flow": user_flow,
            "attributes": {str(attribute.pk): attribute for attribute in attributes},
            "may_add": may_add_attributes,
        }
        heading = questions[0].page_heading if questions else ""
        first = {"revision": user_flow.revision, "questions_heading": heading}
        self.basics = BasicsForm(data, instance=user_flow, initial=first)
        self.ways = WaysForm(data, prefix="ways", providers=providers, chosen=ways)
        self.questions: BaseQuestions = Questions(
            data,
            prefix=PREFIX,
            form_kwargs=options,
            initial=None if data is not None else initial_of(questions),
        )
        self.links = LinksForm(data, prefix="applications", user_flow=user_flow)

    @property
    def all(self) -> tuple[Any, ...]:
        return (self.basics, self.ways, self.questions, self.links)

    def is_valid(self) -> bool:
        # Each of them is asked, so that each says what is wrong.
        return False not in [form.is_valid() for form in self.all]

    def providers(self) -> list[IdentityProvider]:
        return self.ways.offered()

    def assignments(self) -> list[AttributeAssignment]:
        """Return the questions in their order, not saved; those that can't be saved are left out."""
        heading = self.basics.cleaned_data.get("questions_heading", "")
        rows = [form.instance for form in self.questions.in_order() if is_whole(form)]
        for place, question in enumerate(rows):
            if place == 0:
                question.page_heading = (question.starts_page and question.page_heading) or heading
                question.starts_page = False
            elif not question.starts_page:
                question.page_heading = ""
        return rows

    def new_attributes(self) -> list[UserAttribute]:
        return [form.new_attribute for form in self.questions.in_order() if form.new_attribute]

    def definition(self) -> tuple[Definition, bool]:
        """Return what the page says now, as far as it can be shown, and whether that is all of it."""
        if not self.basics.is_bound or not self.questions.management_form.is_valid():
            return definition_of(UserFlow.objects.get(pk=self.user_flow.pk)), True
        is_all = False not in [form.is_valid() for form in (self.basics, self.ways, self.questions)]
        if self.basics.errors:
            saved = UserFlow.objects.get(pk=self.user_flow.pk)
            for name in set(self.basics.errors) & set(BasicsForm.Meta.fields):
                # From the form's closed list: what can't be saved is shown as it was.
                setattr(self.user_flow, name, getattr(saved, name))
        return assemble(self.user_flow, providers=self.providers(), questions=self.assignments()), is_all


def is_whole(form: QuestionForm) -> bool:
    return not form.errors and getattr(form.instance, "user_attribute", None) is not None


def with_one_more_question(request: HttpRequest) -> QueryDict:
    """Return what was sent, with one more empty row: the way to add a question without script."""
    data = request.POST.copy()
    try:
        count = max(0, int(data.get(f"{PREFIX}-TOTAL_FORMS", "0")))
    except ValueError:
        return data
    data[f"{PREFIX}-TOTAL_FORMS"] = str(count + 1)
    data[f"{PREFIX}-{count}-required"] = "on"
    data[f"{PREFIX}-{count}-input_type"] = "textBox"
    data[f"{PREFIX}-{count}-order"] = str(count + 1)
    return data
