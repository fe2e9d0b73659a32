from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from identity_portal.demo.outbox import newest_letters


@never_cache
def outbox(request: HttpRequest) -> HttpResponse:
    """Every mail that the demo has sent. It exists in the demo only: it shows everybody's codes."""
    return render(request, "demo/outbox.html", {"letters": newest_letters()})
